// Names as the server compares them: lower case, without the dot at the end.

/** The labels before `suffix`, from left to right; undefined for a name that does not end with it. */
export const labelsBefore = (name: string, suffix: string): readonly string[] | undefined => {
  if (name === suffix) return [];
  if (!name.endsWith(`.${suffix}`)) return undefined;
  return name.slice(0, -suffix.length - 1).split('.');
};

export const isWithin = (name: string, suffix: string): boolean =>
  suffix === '' || name === suffix || name.endsWith(`.${suffix}`);

const ipv4Suffix = 'in-addr.arpa';
const ipv6Suffix = 'ip6.arpa';

/** `10.0.96.10.in-addr.arpa` -> `10.96.0.10`; IPv6 in its full form; undefined for what is no reversed address. */
export const reversedAddress = (name: string): string | undefined => {
  const four = labelsBefore(name, ipv4Suffix);
  if (four?.length === 4 && four.every((label) => /^\d{1,3}$/.test(label) && Number(label) < 256))
    return [...four].reverse().join('.');
  const six = labelsBefore(name, ipv6Suffix);
  if (six?.length !== 32 || !six.every((label) => /^[\da-f]$/.test(label))) return undefined;
  return ([...six].reverse().join('').match(/.{4}/g) ?? []).join(':');
};

/** One form for each IPv6 address, eight groups of four digits; anything else stays as it is. */
export const fullAddress = (address: string): string => {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const missing = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array.from({ length: missing }, () => '0'), ...after]
    .map((group) => group.padStart(4, '0'))
    .join(':');
};

/** The name at which a headless endpoint is reached that has no host name: `10-244-1-5`. */
export const dashed = (address: string): string => address.replace(/[.:]/g, '-');

/** `10-244-1-5` -> `10.244.1.5`; undefined for what is no dashed IPv4 address. */
export const undashed = (label: string): string | undefined =>
  /^\d{1,3}(-\d{1,3}){3}$/.test(label) ? label.replace(/-/g, '.') : undefined;
