// Addresses of sandboxes out of the node's pod CIDR. Nothing is kept on disk: what is taken is read off the containers.

const parts = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

const text = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

export interface Subnet {
  readonly cidr: string;
  readonly gateway: string;
  /** First and last address for pods. */
  readonly first: number;
  readonly last: number;
}

/** The network's first address is the gateway's. Undefined for what is no IPv4 network with room for a pod. */
export const subnetOf = (cidr: string): Subnet | undefined => {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr);
  const bits = Number(match?.[2]);
  if (match === null || bits < 8 || bits > 29) return undefined;
  const size = 2 ** (32 - bits);
  const base = Math.floor(parts(match[1] ?? '') / size) * size;
  return { cidr, gateway: text(base + 1), first: base + 2, last: base + size - 2 };
};

export class AddressPool {
  #subnet: Subnet | undefined;
  /** Given out, and not yet seen on a container. */
  readonly #promised = new Set<string>();
  #next = 0;

  get subnet(): Subnet | undefined {
    return this.#subnet;
  }

  /** False when it is no usable network. */
  use(cidr: string): boolean {
    if (this.#subnet?.cidr === cidr) return true;
    const subnet = subnetOf(cidr);
    if (subnet === undefined) return false;
    this.#subnet = subnet;
    this.#next = subnet.first;
    return true;
  }

  /** An address that is neither promised nor `taken`; undefined when all are. The one used longest ago comes last. */
  allocate(taken: ReadonlySet<string>): string | undefined {
    const subnet = this.#subnet;
    if (subnet === undefined) return undefined;
    const count = subnet.last - subnet.first + 1;
    for (let tried = 0; tried < count; tried += 1) {
      const address = text(this.#next);
      this.#next = this.#next >= subnet.last ? subnet.first : this.#next + 1;
      if (taken.has(address) || this.#promised.has(address)) continue;
      this.#promised.add(address);
      return address;
    }
    return undefined;
  }

  /** The container that bears it is listed now, or was never made. */
  settle(address: string): void {
    this.#promised.delete(address);
  }
}
