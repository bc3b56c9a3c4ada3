// Ranges of addresses and ports that Services draw from, and the order in which they are tried.

export interface AddressRange {
  readonly size: number;
  at(index: number): string;
  /** Undefined for what lies outside. */
  indexOf(address: string): number | undefined;
  /** For messages. */
  readonly text: string;
}

const toNumber = (address: string): number | undefined => {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
};

const toAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => String(Math.floor(value / 2 ** shift) % 256)).join('.');

/** The usable addresses of an IPv4 network: without its first and last. Throws RangeError for anything else. */
export const addressRange = (cidr: string): AddressRange => {
  const [base = '', bits = ''] = cidr.split('/');
  const address = toNumber(base);
  const prefix = Number(bits);
  if (address === undefined || !/^\d{1,2}$/.test(bits) || prefix < 8 || prefix > 30)
    throw new RangeError(`${cidr} is not an IPv4 network between /8 and /30, such as 10.96.0.0/16`);
  const all = 2 ** (32 - prefix);
  const first = Math.floor(address / all) * all + 1;
  const size = all - 2;
  return {
    size,
    at: (index) => toAddress(first + index),
    indexOf: (text) => {
      const value = toNumber(text);
      if (value === undefined || value < first || value >= first + size) return undefined;
      return value - first;
    },
    text: cidr,
  };
};

/** Both ends belong to it. */
export const portRange = (first: number, last: number): AddressRange => ({
  size: last - first + 1,
  at: (index) => String(first + index),
  indexOf: (text) => {
    const port = Number(text);
    return Number.isSafeInteger(port) && port >= first && port <= last ? port - first : undefined;
  },
  text: `${String(first)}-${String(last)}`,
});

/** 32-bit FNV-1a. */
const hash = (text: string): number => {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return value;
};

/** As in Kubernetes, the lower sixteenth (16 to 256) is left to those who choose by hand, until the rest is full. */
const reservedBand = (size: number): number => Math.min(Math.max(16, Math.floor(size / 16)), 256, size - 1);

/**
 * The first free one in an order that depends on the name only, so that a Service made again gets its address back
 * and a freed address is not handed to someone else at once.
 */
export const chooseFree = (
  range: AddressRange,
  name: string,
  isFree: (address: string) => boolean,
): string | undefined => {
  const band = reservedBand(range.size);
  const upper = range.size - band;
  const start = hash(name) % upper;
  for (let step = 0; step < upper; step += 1) {
    const address = range.at(band + ((start + step) % upper));
    if (isFree(address)) return address;
  }
  for (let index = 0; index < band; index += 1) {
    const address = range.at(index);
    if (isFree(address)) return address;
  }
  return undefined;
};
