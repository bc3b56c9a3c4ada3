// What the kernel of one node is asked to let through: data that src/host/datapath makes true, and that says the verdict
// about a connection too.
import { addressNumber } from '../../base/ipv4.js';

export type PolicyProtocol = 'tcp' | 'udp' | 'sctp';
export type Direction = 'ingress' | 'egress';

/** First and last address, as numbers. */
export type AddressRange = readonly [number, number];

/** A set never changes its type: the name says what is in it. */
export type PolicySet =
  | { readonly type: 'addresses'; readonly elements: ReadonlySet<string> }
  | { readonly type: 'ranges'; readonly ranges: readonly AddressRange[] }
  /** `10.244.1.5 . tcp . 8080`: pods that have a port of one name. */
  | { readonly type: 'ports'; readonly elements: ReadonlySet<string> };

export type PortMatch =
  | { readonly protocol: PolicyProtocol; readonly first: number; readonly last: number }
  /** The port of a name: a set of type `ports`. */
  | { readonly protocol: PolicyProtocol; readonly named: string };

export interface PolicyRule {
  /** Name of the set in which the other side is; undefined: anyone. */
  readonly peers: string | undefined;
  /** Undefined: everything. */
  readonly ports: readonly PortMatch[] | undefined;
}

export interface PolicyState {
  readonly sets: ReadonlyMap<string, PolicySet>;
  /** Rules that some pods share, by a name that follows from them. What no rule lets through is dropped. */
  readonly classes: ReadonlyMap<string, readonly PolicyRule[]>;
  /** Pods of this node to which policies apply: address -> class. */
  readonly ingress: ReadonlyMap<string, string>;
  readonly egress: ReadonlyMap<string, string>;
}

export const emptyPolicyState: PolicyState = {
  sets: new Map(),
  classes: new Map(),
  ingress: new Map(),
  egress: new Map(),
};

/** Addresses and port as pods see them: behind the translation of services. */
export interface Flow {
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  /** Of the destination; 0 where the protocol has none. */
  readonly port: number;
}

const holds = (set: PolicySet | undefined, address: string): boolean => {
  switch (set?.type) {
    case 'addresses':
      return set.elements.has(address);
    case 'ranges': {
      const number = addressNumber(address) ?? -1;
      return set.ranges.some(([first, last]) => number >= first && number <= last);
    }
    case 'ports':
    case undefined:
      return false;
  }
};

const fits = (state: PolicyState, match: PortMatch, { protocol, destination, port }: Flow): boolean => {
  if (match.protocol !== protocol) return false;
  if ('first' in match) return port >= match.first && port <= match.last;
  const set = state.sets.get(match.named);
  return set?.type === 'ports' && set.elements.has(`${destination} . ${protocol} . ${port}`);
};

const lets = (state: PolicyState, name: string, flow: Flow, peer: string): boolean =>
  (state.classes.get(name) ?? []).some(
    ({ peers, ports }) =>
      (peers === undefined || holds(state.sets.get(peers), peer)) &&
      (ports === undefined || ports.some((match) => fits(state, match, flow))),
  );

/** Whether a new connection would be dropped on this node. */
export const forbids = (state: PolicyState, flow: Flow): boolean => {
  const { source, destination } = flow;
  if (source === destination) return false;
  const out = state.egress.get(source);
  if (out !== undefined && !lets(state, out, flow, destination)) return true;
  const into = state.ingress.get(destination);
  return into !== undefined && !lets(state, into, flow, source);
};
