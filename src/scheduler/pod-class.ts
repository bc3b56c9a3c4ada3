// Pod -> what placement depends on. Equal pods give the same object, so its derivation is paid once per template.
import { podRequests } from '../resources/pod-resources.js';
import type { Pod } from '../resources/generated/types.js';
import { controllerOf } from '../resources/resource.js';
import { claimNamesOf } from '../resources/storage/binding.js';
import { tieBreak } from '../reconcile/hash.js';
import { allTerms, termsOf } from './couplings/term.js';
import type { PodClass } from './placement.js';

/** As Kubernetes counts pods without requests when it scores: 100m and 200Mi. */
const leastCpu = 100;
const leastMemory = 200 * 1024 * 1024;

const remembered = 4096;

const applicationOf = ({ metadata }: Pod): string | undefined =>
  metadata.labels?.['app.kubernetes.io/name'] ?? metadata.labels?.['app'];

const groupsOf = (pod: Pod): readonly string[] => {
  const controller = controllerOf(pod)?.uid;
  const application = applicationOf(pod);
  const namespace = pod.metadata.namespace ?? '';
  return [
    ...(controller === undefined ? [] : [controller]),
    ...(application === undefined ? [] : [`${namespace}/${application}`]),
  ];
};

const hostPortsOf = ({ spec }: Pod): readonly string[] =>
  [
    ...spec.containers,
    ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ]
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
    .map(({ protocol = 'TCP', hostIP = '', hostPort = 0 }) => {
      const address = hostIP === '' ? '0.0.0.0' : hostIP;
      return `${protocol}/${address}/${String(hostPort)}`;
    });

/** Everything that filters, scores and couplings read, as text; `asked` are the labels that somebody asks about. */
const identify = (pod: Pod, asked: ReadonlySet<string>): string => {
  const { spec, metadata } = pod;
  const claims = claimNamesOf(pod);
  const containers = [...(spec.initContainers ?? []), ...spec.containers].map((container) => [
    container.restartPolicy,
    container.image,
    container.resources?.requests,
    container.ports?.filter(({ hostPort }) => hostPort !== undefined),
  ]);
  return JSON.stringify([
    groupsOf(pod),
    spec.nodeSelector,
    spec.affinity,
    spec.topologySpreadConstraints,
    spec.tolerations,
    spec.priority,
    spec.preemptionPolicy,
    spec.resources?.requests,
    spec.overhead,
    (spec.initContainers ?? []).length,
    containers,
    claims,
    asked.size === 0 && claims.length === 0 ? '' : metadata.namespace,
    Object.entries(metadata.labels ?? {}).filter(([key]) => asked.has(key)),
  ]);
};

const derive = (id: string, pod: Pod): PodClass => {
  const requests = podRequests(pod.spec);
  return {
    id,
    pod,
    requests,
    wants: [...Object.entries(requests).filter(([, amount]) => amount > 0), ['pods', 1]],
    weight: {
      cpu: Math.max(requests['cpu'] ?? 0, leastCpu),
      memory: Math.max(requests['memory'] ?? 0, leastMemory),
    },
    hostPorts: hostPortsOf(pod),
    groups: groupsOf(pod),
    terms: termsOf(pod),
    claims: claimNamesOf(pod),
    priority: pod.spec.priority ?? 0,
    preempts: pod.spec.preemptionPolicy !== 'Never',
    tie: tieBreak(id),
  };
};

/** Namespaces count whenever terms do, even those that name no label; no label has this name. */
const anyTerm = '';

/**
 * Remembers the classes it has met, the most recent ones. Labels tell pods apart only when a term asks about them:
 * when one asks about a new label, `generation` rises, and classes of before are no longer to be used.
 */
export class PodClasses {
  readonly #known = new Map<string, PodClass>();
  readonly #asked = new Set<string>();
  #generation = 0;

  get generation(): number {
    return this.#generation;
  }

  of(pod: Pod): PodClass {
    const id = identify(pod, this.#asked);
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const derived = derive(id, pod);
    if (this.#learn(derived)) return this.of(pod);
    this.#known.set(id, derived);
    if (this.#known.size > remembered)
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    return derived;
  }

  /** True when a term asks about a label that nobody asked about before. */
  #learn({ terms }: PodClass): boolean {
    const before = this.#asked.size;
    for (const { selector } of allTerms(terms)) {
      this.#asked.add(anyTerm);
      for (const { key } of selector ?? []) this.#asked.add(key);
    }
    if (this.#asked.size === before) return false;
    this.#generation += 1;
    this.#known.clear();
    return true;
  }
}
