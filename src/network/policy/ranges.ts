// ipBlock -> ranges of addresses.
import { addressNumber } from '../../base/ipv4.js';
import type { IPBlock } from '../../resources/generated/types.js';
import type { AddressRange } from './policy-state.js';

/** Undefined for what is no IPv4 network; bits behind the prefix do not count. */
const rangeOf = (cidr: string): AddressRange | undefined => {
  const [address = '', bits = ''] = cidr.split('/');
  const number = addressNumber(address);
  if (number === undefined || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(number / size) * size;
  return [first, first + size - 1];
};

const without = ([first, last]: AddressRange, [from, to]: AddressRange): readonly AddressRange[] => {
  if (to < first || from > last) return [[first, last]];
  const below: readonly AddressRange[] = from > first ? [[first, from - 1]] : [];
  const above: readonly AddressRange[] = to < last ? [[to + 1, last]] : [];
  return [...below, ...above];
};

/** Sorted, without overlaps; none for an IPv6 network. */
export const blockRanges = ({ cidr, except = [] }: IPBlock): readonly AddressRange[] => {
  const whole = rangeOf(cidr);
  if (whole === undefined) return [];
  let left: readonly AddressRange[] = [whole];
  for (const hole of except.flatMap((text) => {
    const range = rangeOf(text);
    return range === undefined ? [] : [range];
  }))
    left = left.flatMap((range) => without(range, hole));
  return left;
};
