// Nodes -> who this node is in the pod network, and which peers it reaches. Nodes that contradict each other are left
// out with a reason: the older one keeps what it has.
import type { Node } from '../resources/generated/types.js';
import { addressNumber, overlap, parseCidr } from '../base/ipv4.js';
import type { Cidr } from '../base/ipv4.js';
import type { LocalNode } from './datapath.js';
import type { Peer } from './pod-network.js';

export interface PodNetworkState {
  /** Undefined until the node has an address and a subnet. */
  readonly node: LocalNode | undefined;
  /** Sorted by name. */
  readonly peers: readonly Peer[];
  /** Sentences about nodes that cannot be reached as they are. */
  readonly problems: readonly string[];
}

export const internalAddress = ({ status }: Node): string | undefined =>
  status?.addresses?.find(
    ({ type, address }) => type === 'InternalIP' && addressNumber(address) !== undefined,
  )?.address;

interface Candidate extends Peer {
  readonly cidr: Cidr;
}

/** Older first, so that a newcomer never takes a subnet or an address from a node that has it. */
const byAge = (a: Node, b: Node): number => {
  const [one, other] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (one !== other) return one < other ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
};

/** A sentence, or what takes part; undefined while the node still waits for its subnet or its address. */
const candidateOf = (node: Node): Candidate | string | undefined => {
  const { name } = node.metadata;
  const subnet = node.spec.podCIDR ?? '';
  const address = internalAddress(node);
  if (subnet === '' || address === undefined) return undefined;
  const cidr = parseCidr(subnet);
  if (cidr === undefined) return `node ${name} has the pod CIDR ${subnet}, which is no IPv4 network`;
  return { name, address, subnet, cidr };
};

const contradiction = (candidate: Candidate, accepted: readonly Candidate[]): string | undefined => {
  const sameAddress = accepted.find(({ address }) => address === candidate.address);
  if (sameAddress !== undefined)
    return `node ${candidate.name} has the address ${candidate.address} of node ${sameAddress.name}: its pods are not reached`;
  const sameSubnet = accepted.find(({ cidr }) => overlap(cidr, candidate.cidr));
  if (sameSubnet !== undefined)
    return `node ${candidate.name} has the pod CIDR ${candidate.subnet}, which overlaps ${sameSubnet.subnet} of node ${sameSubnet.name}: its pods are not reached`;
  return undefined;
};

/** A node that is not ready keeps its place: whether it answers is its own matter, and it may come back. */
export const podNetworkState = (nodes: readonly Node[], localName: string): PodNetworkState => {
  const accepted: Candidate[] = [];
  const problems: string[] = [];
  for (const node of [...nodes].sort(byAge)) {
    const candidate = candidateOf(node);
    if (candidate === undefined) continue;
    const problem = typeof candidate === 'string' ? candidate : contradiction(candidate, accepted);
    if (problem !== undefined) problems.push(problem);
    else if (typeof candidate !== 'string') accepted.push(candidate);
  }
  const local = accepted.find(({ name }) => name === localName);
  const peers = accepted
    .filter(({ name }) => name !== localName)
    .map(({ name, address, subnet }): Peer => ({ name, address, subnet }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    node: local && { name: local.name, address: local.address, subnet: local.subnet },
    peers,
    problems,
  };
};
