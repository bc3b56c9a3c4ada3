// NetworkPolicies, pods and namespaces -> what one node lets through. Pods that the same policies select share a class;
// a peer is a set of addresses that policies share too, so that a pod's coming costs an element of each set it is in.
import { addressNumber } from '../../base/ipv4.js';
import { shortHash } from '../../reconcile/hash.js';
import type {
  Namespace,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
} from '../../resources/generated/types.js';
import { formatRequirements, matches, requirementsOf } from '../../resources/label-selector.js';
import type { Requirements } from '../../resources/label-selector.js';
import { isPodTerminated, isSidecar } from '../../resources/pod-status.js';
import type {
  Direction,
  PolicyProtocol,
  PolicyRule,
  PolicySet,
  PolicyState,
  PortMatch,
} from './policy-state.js';
import { blockRanges } from './ranges.js';

export interface PolicyObjects {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
}

/** The address by which policies know a pod; undefined for one of the node's network, that has none or has ended. */
export const policyAddress = (pod: Pod): string | undefined => {
  const address = pod.status?.podIP;
  if (address === undefined || pod.spec.hostNetwork === true || isPodTerminated(pod)) return undefined;
  return addressNumber(address) === undefined ? undefined : address;
};

const nameLength = 12;

const protocolOf = (protocol: string | undefined): PolicyProtocol =>
  (protocol ?? 'TCP').toLowerCase() as PolicyProtocol;

const byNamespace = (pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> => {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    const { namespace = '' } = pod.metadata;
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, [pod]);
    else group.push(pod);
  }
  return groups;
};

class Compiler {
  readonly sets = new Map<string, PolicySet>();
  readonly classes = new Map<string, readonly PolicyRule[]>();
  readonly #pods: ReadonlyMap<string, readonly Pod[]>;
  readonly #objects: PolicyObjects;

  constructor(objects: PolicyObjects) {
    this.#objects = objects;
    this.#pods = byNamespace(objects.pods);
  }

  selected({ metadata, spec }: NetworkPolicy): readonly Pod[] {
    const requirements = requirementsOf(spec.podSelector ?? {});
    return (this.#pods.get(metadata.namespace ?? '') ?? []).filter((pod) =>
      matches(requirements, pod.metadata.labels),
    );
  }

  rules({ metadata, spec }: NetworkPolicy, direction: Direction): readonly PolicyRule[] {
    const { namespace = '' } = metadata;
    const rules =
      direction === 'ingress'
        ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
        : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
    return rules.flatMap(({ peers = [], ports = [] }): readonly PolicyRule[] => {
      const matched = ports.length === 0 ? undefined : ports.map((port) => this.#port(port));
      if (peers.length === 0) return [{ peers: undefined, ports: matched }];
      return peers.map((peer) => ({ peers: this.#peer(peer, namespace), ports: matched }));
    });
  }

  /** Name of the class with these rules. */
  class(direction: Direction, rules: readonly PolicyRule[]): string {
    const different = [...new Map(rules.map((rule) => [JSON.stringify(rule), rule]))].sort(([a], [b]) =>
      a < b ? -1 : 1,
    );
    const name = `${direction}-${shortHash(nameLength, ...different.map(([text]) => text))}`;
    if (!this.classes.has(name))
      this.classes.set(
        name,
        different.map(([, rule]) => rule),
      );
    return name;
  }

  #port({ port, endPort, protocol }: NetworkPolicyPort): PortMatch {
    const of = protocolOf(protocol);
    if (port === undefined) return { protocol: of, first: 0, last: 65_535 };
    if (typeof port === 'number') return { protocol: of, first: port, last: endPort ?? port };
    return { protocol: of, named: this.#named(port, of) };
  }

  #named(port: string, protocol: PolicyProtocol): string {
    const name = `ports-${shortHash(nameLength, port, protocol)}`;
    if (this.sets.has(name)) return name;
    const elements = new Set<string>();
    for (const pod of this.#objects.pods) {
      const address = policyAddress(pod);
      const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
      const found = containers
        .flatMap(({ ports = [] }) => ports)
        .find((one) => one.name === port && protocolOf(one.protocol) === protocol);
      if (address !== undefined && found !== undefined)
        elements.add(`${address} . ${protocol} . ${found.containerPort}`);
    }
    this.sets.set(name, { type: 'ports', elements });
    return name;
  }

  #peer({ ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer, namespace: string): string {
    if (ipBlock !== undefined) {
      const ranges = blockRanges(ipBlock);
      const name = `ranges-${shortHash(nameLength, ...ranges.map((range) => range.join('-')))}`;
      this.sets.set(name, { type: 'ranges', ranges });
      return name;
    }
    const inNamespaces = namespaceSelector && requirementsOf(namespaceSelector);
    const inPods = requirementsOf(podSelector ?? {});
    const where = inNamespaces === undefined ? `in ${namespace}` : formatRequirements(inNamespaces);
    const name = `pods-${shortHash(nameLength, where, formatRequirements(inPods))}`;
    if (!this.sets.has(name))
      this.sets.set(name, { type: 'addresses', elements: this.#addresses(inNamespaces, inPods, namespace) });
    return name;
  }

  #addresses(inNamespaces: Requirements | undefined, inPods: Requirements, own: string): ReadonlySet<string> {
    const namespaces =
      inNamespaces === undefined
        ? [own]
        : this.#objects.namespaces
            .filter(({ metadata }) => matches(inNamespaces, metadata.labels))
            .map(({ metadata }) => metadata.name);
    const elements = new Set<string>();
    for (const namespace of namespaces)
      for (const pod of this.#pods.get(namespace) ?? []) {
        const address = matches(inPods, pod.metadata.labels) ? policyAddress(pod) : undefined;
        if (address !== undefined) elements.add(address);
      }
    return elements;
  }
}

const typesOf = ({ spec }: NetworkPolicy): readonly string[] =>
  spec.policyTypes ?? (spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']);

/** Policies only add to what is let through; a pod that none selects is open in that direction. */
export const compilePolicies = (objects: PolicyObjects, nodeName: string): PolicyState => {
  const compiler = new Compiler(objects);
  const sorted = [...objects.policies].sort((a, b) =>
    `${a.metadata.namespace ?? ''}/${a.metadata.name}` < `${b.metadata.namespace ?? ''}/${b.metadata.name}`
      ? -1
      : 1,
  );
  const applied = (direction: Direction, type: string): ReadonlyMap<string, string> => {
    const rules = new Map<string, PolicyRule[]>();
    for (const policy of sorted.filter((one) => typesOf(one).includes(type))) {
      const local = compiler
        .selected(policy)
        .flatMap((pod) => (pod.spec.nodeName === nodeName ? (policyAddress(pod) ?? []) : []));
      // What nobody here is subject to costs nothing here.
      if (local.length === 0) continue;
      const own = compiler.rules(policy, direction);
      for (const address of local) rules.set(address, [...(rules.get(address) ?? []), ...own]);
    }
    return new Map([...rules].map(([address, all]) => [address, compiler.class(direction, all)]));
  };
  const ingress = applied('ingress', 'Ingress');
  const egress = applied('egress', 'Egress');
  return { sets: compiler.sets, classes: compiler.classes, ingress, egress };
};
