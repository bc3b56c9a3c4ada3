// Gives each node a subnet of the pod network, none twice. All nodes are one key, so that no two are decided at once.
import { ClusterError } from '../../base/errors.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision } from '../../reconcile/controller.js';
import type { Node } from '../../resources/generated/types.js';
import { nodes } from '../../resources/kinds/nodes.js';

export interface Subnets {
  /** First address, as a number. */
  readonly base: number;
  /** How many there are. */
  readonly count: number;
  /** Bits of each one's prefix. */
  readonly bits: number;
}

const parseAddress = (text: string): number | undefined => {
  const octets = text.split('.').map(Number);
  if (octets.length !== 4 || octets.some((octet) => !Number.isInteger(octet) || octet < 0 || octet > 255))
    return undefined;
  return octets.reduce((address, octet) => address * 256 + octet, 0);
};

const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

/** Throws Invalid for what is not an IPv4 network that holds at least one subnet of `bits`. */
export const subnetsOf = (podCidr: string, bits = 24): Subnets => {
  const [text = '', length = ''] = podCidr.split('/');
  const address = parseAddress(text);
  const prefix = Number(length);
  if (address === undefined || !/^\d+$/.test(length) || prefix > bits)
    throw new ClusterError(
      'Invalid',
      `the pod network ${podCidr} holds no /${String(bits)} for a node: give one such as 10.244.0.0/16`,
    );
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(address / size) * size, count: 2 ** (bits - prefix), bits };
};

export const subnet = ({ base, bits }: Subnets, index: number): string =>
  `${formatAddress(base + index * 2 ** (32 - bits))}/${String(bits)}`;

interface IpamObserved {
  readonly nodes: readonly Node[];
}

const allocate = (subnets: Subnets, { nodes: all }: IpamObserved): Decision<ClusterAction> => {
  const taken = new Set(all.flatMap(({ spec }) => [spec.podCIDR ?? '', ...(spec.podCIDRs ?? [])]));
  const waiting = all
    .filter(({ spec }) => (spec.podCIDR ?? '') === '')
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const actions: ClusterAction[] = [];
  let next = 0;
  for (const { metadata } of waiting) {
    while (next < subnets.count && taken.has(subnet(subnets, next))) next += 1;
    if (next === subnets.count)
      return {
        actions,
        because: `the pod network has ${String(subnets.count)} subnets and all are taken: ${metadata.name} gets none`,
      };
    const podCIDR = subnet(subnets, next);
    next += 1;
    const { name, uid } = metadata;
    const patch = { metadata: { uid }, spec: { podCIDR, podCIDRs: [podCIDR] } };
    actions.push({ type: 'patch', kind: nodes, name: { name }, patch: { type: 'merge', patch } });
  }
  return {
    actions,
    because:
      actions.length === 0
        ? `all ${String(all.length)} nodes have a subnet`
        : `gives ${String(actions.length)} nodes a subnet`,
  };
};

const everyNode = { name: 'pod-network' };

/** Throws Invalid for a pod network that is none. */
export const createNodeIpamController = (podCidr: string): Controller<IpamObserved, ClusterAction> => {
  const subnets = subnetsOf(podCidr);
  return {
    name: 'node-ipam',
    watches: [
      {
        kind: nodes,
        // A node that leaves frees a subnet for one that waits.
        keys: ({ type, object }) =>
          type === 'deleted' || ((object as Node).spec.podCIDR ?? '') === '' ? [everyNode] : [],
      },
    ],
    observe: (view: View) => ({ nodes: view.list(nodes) }),
    reconcile: (observed) => allocate(subnets, observed),
  };
};
