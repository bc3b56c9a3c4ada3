// What Kubernetes adds to the Common Expression Language: functions of lists, strings, regular expressions and quantities
// (apiserver `pkg/cel/library`).
import { Environment } from '@marcbachmann/cel-js';
import { addQuantities, compareQuantities, quantity as quantityOf, subtractQuantities } from '../quantity.js';
import type { Quantity as Amount } from '../quantity.js';
import { ipFamilyOf } from '../validation/names.js';
import { finds, regularExpression } from './regular-expression.js';

type Comparable = bigint | number | string | Date;

const ordered = (list: readonly Comparable[]): boolean =>
  list.every((value, index) => index === 0 || (list[index - 1] ?? value) <= value);

const least = (list: readonly Comparable[]): Comparable => {
  if (list.length === 0) throw new Error('min called on empty list');
  return list.reduce((a, b) => (b < a ? b : a));
};

const most = (list: readonly Comparable[]): Comparable => {
  if (list.length === 0) throw new Error('max called on empty list');
  return list.reduce((a, b) => (b > a ? b : a));
};

const sum = (list: readonly (bigint | number)[]): bigint | number =>
  list.reduce((a, b) => (typeof a === 'bigint' && typeof b === 'bigint' ? a + b : Number(a) + Number(b)));

const sameValue = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && JSON.stringify(a, bigints) === JSON.stringify(b, bigints));

const bigints = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${String(value)}n` : value;

const withLists = (environment: Environment): void => {
  environment
    .registerFunction('list.isSorted(): bool', ordered)
    .registerFunction('list.sum(): dyn', (list: readonly (bigint | number)[]) =>
      list.length === 0 ? 0n : sum(list),
    )
    .registerFunction('list.min(): dyn', least)
    .registerFunction('list.max(): dyn', most)
    .registerFunction('list.indexOf(dyn): int', (list: readonly unknown[], value: unknown) =>
      BigInt(list.findIndex((one) => sameValue(one, value))),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: readonly unknown[], value: unknown) =>
      BigInt(list.findLastIndex((one) => sameValue(one, value))),
    );
};

/** `matches` itself is the library's and not linear: rules are rewritten to this name before they run. */
export const linearMatches = 'matchesInLinearTime';

const withStrings = (environment: Environment): void => {
  environment
    .registerFunction(`string.${linearMatches}(string): bool`, (text: string, pattern: string) =>
      finds(pattern, text),
    )
    .registerFunction('string.find(string): string', (text: string, pattern: string) => {
      const matcher = regularExpression(pattern).matcher(text);
      return matcher.find() ? (matcher.group() ?? '') : '';
    })
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => {
      const matcher = regularExpression(pattern).matcher(text);
      const found: string[] = [];
      while (matcher.find()) found.push(matcher.group() ?? '');
      return found;
    })
    .registerFunction(
      'string.charAt(int): string',
      (text: string, at: bigint) => Array.from(text)[Number(at)] ?? '',
    )
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction(
      'string.replace(string, string, int): string',
      (text: string, from: string, to: string, count: bigint) => {
        const parts = text.split(from);
        const limit = count < 0n ? parts.length : Number(count);
        return parts.reduce((all, part, index) => `${all}${index <= limit ? to : from}${part}`);
      },
    )
    .registerFunction('string.reverse(): string', (text: string) => Array.from(text).reverse().join(''));
};

class Quantity {
  readonly amount: Amount;
  constructor(amount: Amount) {
    this.amount = amount;
  }
}

class IP {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const isQuantity = (text: string): boolean => {
  try {
    quantityOf(text);
    return true;
  } catch {
    return false;
  }
};

const withQuantities = (environment: Environment): void => {
  environment
    .registerType('kubernetes.Quantity', { ctor: Quantity, fields: {} })
    .registerFunction(
      'quantity(string): kubernetes.Quantity',
      (text: string) => new Quantity(quantityOf(text)),
    )
    .registerFunction('isQuantity(string): bool', isQuantity)
    .registerFunction('kubernetes.Quantity.sign(): int', ({ amount }: Quantity) =>
      amount.nanos > 0n ? 1n : amount.nanos < 0n ? -1n : 0n,
    )
    .registerFunction(
      'kubernetes.Quantity.isInteger(): bool',
      ({ amount }: Quantity) => amount.nanos % 1_000_000_000n === 0n,
    )
    .registerFunction(
      'kubernetes.Quantity.asInteger(): int',
      ({ amount }: Quantity) => amount.nanos / 1_000_000_000n,
    )
    .registerFunction(
      'kubernetes.Quantity.asApproximateFloat(): double',
      ({ amount }: Quantity) => Number(amount.nanos) / 1e9,
    )
    .registerFunction(
      'kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity',
      (a: Quantity, b: Quantity) => new Quantity(addQuantities(a.amount, b.amount)),
    )
    .registerFunction(
      'kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity',
      (a: Quantity, b: Quantity) => new Quantity(subtractQuantities(a.amount, b.amount)),
    )
    .registerFunction('kubernetes.Quantity.compareTo(kubernetes.Quantity): int', (a: Quantity, b: Quantity) =>
      BigInt(compareQuantities(a.amount, b.amount)),
    )
    .registerFunction(
      'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool',
      (a: Quantity, b: Quantity) => compareQuantities(a.amount, b.amount) > 0,
    )
    .registerFunction(
      'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool',
      (a: Quantity, b: Quantity) => compareQuantities(a.amount, b.amount) < 0,
    );
};

const ip = (text: string): IP => {
  if (ipFamilyOf(text) === undefined) throw new Error(`IP Address ${JSON.stringify(text)} parse error`);
  return new IP(text);
};

const withAddresses = (environment: Environment): void => {
  environment
    .registerType('net.IP', { ctor: IP, fields: {} })
    .registerFunction('isIP(string): bool', (text: string) => ipFamilyOf(text) !== undefined)
    .registerFunction('ip(string): net.IP', ip)
    .registerFunction('net.IP.family(): int', ({ text }: IP) => BigInt(ipFamilyOf(text) ?? 0))
    .registerFunction('isURL(string): bool', (text: string) => URL.canParse(text));
};

/** An environment in which these variables are known, by default of any type. */
export const celEnvironment = (
  variables: readonly string[],
  types: Readonly<Record<string, string>> = {},
): Environment => {
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 5000, maxDepth: 100 },
  });
  withLists(environment);
  withStrings(environment);
  withQuantities(environment);
  withAddresses(environment);
  for (const name of variables) environment.registerVariable(name, types[name] ?? 'dyn');
  return environment;
};
