// Networks of both families as numbers: whether one lies within another.
import { ipFamilyOf } from './names.js';

interface IpRange {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly bits: number;
}

const groupsOf = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));

/** An IPv4 address at the end of an IPv6 one -> its two groups. */
const withoutDots = (text: string): string =>
  text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: readonly string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });

const numberOf = (address: string, family: 4 | 6): bigint => {
  if (family === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = withoutDots(address).split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const gap = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: gap }, () => '0'), ...after];
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
};

/** `10.0.0.0/16`; bits behind the prefix are cut off. Undefined for what is no network. */
export const parseIpRange = (text: string): IpRange | undefined => {
  const [address = '', length = '', ...rest] = text.split('/');
  const family = ipFamilyOf(address);
  const width = family === 4 ? 32 : 128;
  if (family === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > width)
    return undefined;
  const bits = Number(length);
  const host = BigInt(width - bits);
  return { family, bits, base: (numberOf(address, family) >> host) << host };
};

/** Whether `inner` is a part of `outer` and not all of it. */
export const isStrictlyWithin = (inner: IpRange, outer: IpRange): boolean => {
  if (inner.family !== outer.family || inner.bits <= outer.bits) return false;
  const host = BigInt((outer.family === 4 ? 32 : 128) - outer.bits);
  return inner.base >> host === outer.base >> host;
};
