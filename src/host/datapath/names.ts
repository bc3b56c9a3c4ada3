// What one installation's network is called in the kernel. The names carry the instance, so that several on one machine
// do not meet, and that whoever removes one knows what is its.
export interface NetworkNames {
  /** nftables table of services. */
  readonly table: string;
  /** nftables table of network policies. */
  readonly policies: string;
  /** Overlay devices, at most 15 characters. */
  readonly vxlan: string;
  /** Device that holds the addresses of load balancers. */
  readonly loadBalancers: string;
  /** iptables chain that lets pods' packets pass a firewall that forwards nothing by default. */
  readonly forwarding: string;
}

export const tablePrefix = 'capstan-';

/** `instance`: 12 hexadecimal digits. */
export const networkNames = (instance: string): NetworkNames => ({
  table: `${tablePrefix}${instance}`,
  policies: `capstan_policies-${instance}`,
  vxlan: `capx-${instance.slice(0, 8)}`,
  loadBalancers: `capl-${instance.slice(0, 8)}`,
  forwarding: `CAPSTAN-${instance}`,
});
