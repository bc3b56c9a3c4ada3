// IPv4 addresses and networks as numbers.

export interface Cidr {
  /** First address. */
  readonly base: number;
  /** Prefix length. */
  readonly bits: number;
}

/** Undefined for what is no dotted IPv4 address. */
export const addressNumber = (text: string): number | undefined => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let number = 0;
  for (const part of match.slice(1)) {
    if (Number(part) > 255) return undefined;
    number = number * 256 + Number(part);
  }
  return number;
};

/** Undefined for what is no IPv4 network, or has bits set behind its prefix. */
export const parseCidr = (text: string): Cidr | undefined => {
  const [address = '', length = '', ...rest] = text.split('/');
  const base = addressNumber(address);
  const bits = /^\d{1,2}$/.test(length) ? Number(length) : 33;
  if (base === undefined || bits > 32 || rest.length > 0 || base % 2 ** (32 - bits) !== 0) return undefined;
  return { base, bits };
};

export const contains = ({ base, bits }: Cidr, address: number): boolean =>
  address >= base && address < base + 2 ** (32 - bits);

export const overlap = (a: Cidr, b: Cidr): boolean => contains(a, b.base) || contains(b, a.base);

/** `addressNumber` the other way round. */
export const addressText = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

/** The first address that a host of the network may have; undefined for what is no network. */
export const firstHost = (cidr: string | undefined): string | undefined => {
  const network = cidr === undefined ? undefined : parseCidr(cidr);
  return network === undefined ? undefined : addressText(network.base + 1);
};

/** Where pods ask for names: the tenth address of the service network, as kubeadm has it. */
export const clusterDnsAddress = (serviceCidr: string): string | undefined => {
  const network = parseCidr(serviceCidr);
  return network === undefined ? undefined : addressText(network.base + 10);
};

/** First and last address. */
export interface AddressSpan {
  readonly first: number;
  readonly last: number;
}

/** `10.0.0.200-10.0.0.220,10.0.1.0/28`; undefined for what is none. */
export const parseSpans = (text: string): readonly AddressSpan[] | undefined => {
  const spans: AddressSpan[] = [];
  for (const part of text.split(',').map((one) => one.trim())) {
    const cidr = parseCidr(part);
    const [from = '', to = from] = part.split('-');
    const [first, last] = [addressNumber(from), addressNumber(to)];
    if (cidr !== undefined) spans.push({ first: cidr.base, last: cidr.base + 2 ** (32 - cidr.bits) - 1 });
    else if (first !== undefined && last !== undefined && first <= last) spans.push({ first, last });
    else return undefined;
  }
  return spans;
};
