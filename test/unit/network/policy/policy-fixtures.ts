// Pods, namespaces and policies with only what policies look at, and what the specification says about them, word for word.
import type {
  Namespace,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
} from '../../../../src/resources/generated/types.js';
import { selects } from '../../../../src/resources/label-selector.js';
import { addressNumber } from '../../../../src/base/ipv4.js';
import { meta } from '../fixtures.js';

export const pod = (
  name: string,
  address: string,
  {
    namespace = 'a',
    labels = {},
    node = 'n1',
    ports = [] as { name: string; containerPort: number; protocol?: string }[],
    host = false,
  } = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, { namespace, labels }),
  spec: { nodeName: node, containers: [{ name: 'main', ports }], ...(host ? { hostNetwork: true } : {}) },
  status: { phase: 'Running', podIP: address },
});

export const namespace = (name: string, labels: Record<string, string> = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: meta(name, { labels: { 'kubernetes.io/metadata.name': name, ...labels } }),
  spec: {},
});

export const policy = (name: string, spec: NetworkPolicy['spec'], of = 'a'): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: meta(name, { namespace: of }),
  spec,
});

export interface World {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
}

/** A pod, or an address of elsewhere. */
export type Side = Pod | string;

const within = (address: string, cidr: string): boolean => {
  const [base = '', bits = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(addressNumber(address)! / size) === Math.floor(addressNumber(base)! / size);
};

export const addressOf = (side: Side): string => (typeof side === 'string' ? side : side.status!.podIP!);

const isPeer = (world: World, peer: NetworkPolicyPeer, side: Side, own: string): boolean => {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  if (ipBlock !== undefined)
    return (
      within(addressOf(side), ipBlock.cidr) &&
      !(ipBlock.except ?? []).some((hole) => within(addressOf(side), hole))
    );
  if (typeof side === 'string' || side.spec.hostNetwork === true) return false;
  const inNamespace =
    namespaceSelector === undefined
      ? side.metadata.namespace === own
      : selects(
          namespaceSelector,
          world.namespaces.find(({ metadata }) => metadata.name === side.metadata.namespace)?.metadata.labels,
        );
  return inNamespace && selects(podSelector ?? {}, side.metadata.labels);
};

const isPort = (
  { port, endPort, protocol = 'TCP' }: NetworkPolicyPort,
  to: Side,
  flow: { protocol: string; port: number },
): boolean => {
  if (protocol.toLowerCase() !== flow.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') return flow.port >= port && flow.port <= (endPort ?? port);
  if (typeof to === 'string') return false;
  const named = to.spec.containers
    .flatMap(({ ports = [] }) => ports)
    .find((one) => one.name === port && (one.protocol ?? 'TCP') === protocol);
  return named?.containerPort === flow.port;
};

/** By the text of the API's documentation, one policy after the other. */
export const specified = (
  world: World,
  from: Side,
  to: Side,
  flow: { protocol: string; port: number },
): boolean => {
  if (addressOf(from) === addressOf(to)) return true;
  const side = (subject: Side, other: Side, type: 'Ingress' | 'Egress'): boolean => {
    if (typeof subject === 'string' || subject.spec.hostNetwork === true) return true;
    const { namespace: own = '', labels } = subject.metadata;
    const applied = world.policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === own &&
        selects(spec.podSelector ?? {}, labels) &&
        (spec.policyTypes ?? (spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'])).includes(
          type,
        ),
    );
    if (applied.length === 0) return true;
    return applied.some(({ spec }) => {
      const rules =
        type === 'Ingress'
          ? (spec.ingress ?? []).map((rule) => ({ ...rule, peers: rule.from }))
          : (spec.egress ?? []).map((rule) => ({ ...rule, peers: rule.to }));
      return rules.some(
        ({ peers = [], ports = [] }) =>
          (peers.length === 0 || peers.some((peer) => isPeer(world, peer, other, own))) &&
          (ports.length === 0 || ports.some((port) => isPort(port, to, flow))),
      );
    });
  };
  return side(from, to, 'Egress') && side(to, from, 'Ingress');
};
