// A way that packets must find through the cluster's network, and whether they do.

export interface NetworkTarget {
  /** `node`: as nodes reach each other; `pod-network`: through the overlay; `service`: at a service's address. */
  readonly kind: 'node' | 'pod-network' | 'service';
  /** `node h2`, `service shop/web`. */
  readonly to: string;
  /** IPv4. */
  readonly address: string;
  /** TCP. */
  readonly port: number;
}

export interface NetworkPath extends NetworkTarget {
  /** Name of the node that tried. */
  readonly from: string;
  readonly milliseconds: number;
  /** Undefined: the path works. */
  readonly problem?: string | undefined;
}
