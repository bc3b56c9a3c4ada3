// Kubernetes quantities (`250m`, `1.5Gi`, `1e3`) as exact numbers; follows apimachinery's resource.Quantity.
import { ClusterError } from '../base/errors.js';

/** How a quantity was written, which is how it is written again. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  /** Billionths; anything finer is rounded up, as in Kubernetes. */
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const nano = 1_000_000_000n;
/** Kubernetes keeps quantities within int64; larger ones are cut to it. */
const largest = ((1n << 63n) - 1n) * nano;

export const quantitySyntax =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d+)|(n|u|m|k|[KMGTPE]i|[MGTPE]))?$/;

/** Power of ten by which the number before it is multiplied; finer or larger ones are beyond what a quantity holds. */
const clampExponent = (exponent: number): number => Math.max(-40, Math.min(40, exponent));

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** `digits` is the number without its point, `fraction` how many of them stood behind it. */
const scale = (digits: bigint, fraction: number, suffix: string): bigint => {
  const power = binary.indexOf(suffix);
  if (power > 0) return divideUp(digits * 1024n ** BigInt(power) * nano, 10n ** BigInt(fraction));
  const exponent = (decimal.indexOf(suffix) - 3) * 3 + 9 - fraction;
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : divideUp(digits, 10n ** BigInt(-exponent));
};

/** Undefined when it is not a quantity. Numbers are taken as JSON writes them. */
export const parseQuantity = (text: string | number): Quantity | undefined => {
  const written = typeof text === 'number' ? String(text) : text;
  if (written.length > 80) return undefined;
  const match = pattern.exec(written);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', e, exponentText, suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  let magnitude: bigint;
  if (e === undefined) magnitude = scale(digits, fraction.length, suffix);
  else {
    const exponent = clampExponent(Number(exponentText));
    const scaled = exponent >= 0 ? digits * 10n ** BigInt(exponent) : digits;
    magnitude = scale(scaled, fraction.length + (exponent < 0 ? -exponent : 0), '');
  }
  const capped = magnitude > largest ? largest : magnitude;
  return {
    nanos: sign === '-' ? -capped : capped,
    format: e !== undefined ? 'DecimalExponent' : suffix.endsWith('i') ? 'BinarySI' : 'DecimalSI',
  };
};

/** Like parseQuantity; throws BadRequest. */
export const quantity = (text: string | number): Quantity => {
  const parsed = parseQuantity(text);
  if (parsed === undefined)
    throw new ClusterError('BadRequest', `${JSON.stringify(text)} is not a quantity: ${quantitySyntax}`);
  return parsed;
};

export const zeroQuantity: Quantity = { nanos: 0n, format: 'DecimalSI' };

export const compareQuantities = (a: Quantity, b: Quantity): -1 | 0 | 1 =>
  a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;

/** The sum is written like the first operand, unless that is zero. */
export const addQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nanos: a.nanos + b.nanos,
  format: a.nanos === 0n ? b.format : a.format,
});

export const subtractQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nanos: a.nanos - b.nanos,
  format: a.nanos === 0n ? b.format : a.format,
});

export const maxQuantity = (a: Quantity, b: Quantity): Quantity => (compareQuantities(a, b) < 0 ? b : a);

const withSuffix = (nanos: bigint, exponential: boolean): string => {
  let mantissa = nanos;
  let index = 0;
  while (index < decimal.length - 1 && mantissa % 1000n === 0n) {
    mantissa /= 1000n;
    index += 1;
  }
  const exponent = (index - 3) * 3;
  if (!exponential) return `${String(mantissa)}${decimal[index] ?? ''}`;
  return exponent === 0 ? String(mantissa) : `${String(mantissa)}e${String(exponent)}`;
};

/** The canonical text: no fraction, the largest suffix that allows it. */
export const formatQuantity = ({ nanos, format }: Quantity): string => {
  if (nanos === 0n) return '0';
  const small = nanos > -1024n * nano && nanos < 1024n * nano;
  if (format !== 'BinarySI' || small || nanos % nano !== 0n)
    return withSuffix(nanos, format === 'DecimalExponent');
  let mantissa = nanos / nano;
  let index = 0;
  while (index < binary.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    index += 1;
  }
  return `${String(mantissa)}${binary[index] ?? ''}`;
};

/** Most quantities in manifests: fewer than 1000 of a unit cannot be written with a larger one. */
const already = /^(?:[1-9]\d{0,2}(?:m|Mi|Gi|Ki)?|0)$/;

/** `1024Mi` -> `1Gi`, `0.5` -> `500m`; text that is not a quantity stays as it is. */
export const canonicalQuantity = (text: string | number): string => {
  const written = String(text);
  if (already.test(written)) return written;
  const parsed = parseQuantity(written);
  return parsed === undefined ? written : formatQuantity(parsed);
};

const roundedUp = (nanos: bigint, unit: bigint): number =>
  Number(nanos >= 0n ? divideUp(nanos, unit) : nanos / unit);

/** In thousandths, rounded up: CPU in millicores. 0 for an absent or malformed quantity. */
export const milliValue = (text: string | number | undefined): number =>
  text === undefined ? 0 : roundedUp(parseQuantity(text)?.nanos ?? 0n, 1_000_000n);

/** Rounded up to a whole number: memory in bytes, pods. 0 for an absent or malformed quantity. */
export const wholeValue = (text: string | number | undefined): number =>
  text === undefined ? 0 : roundedUp(parseQuantity(text)?.nanos ?? 0n, nano);
