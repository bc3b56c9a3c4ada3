// Pod -> what placement depends on. Equal pods give the same object, so its derivation is paid once per template.
import { podRequests } from '../resources/pod-resources.js';
import type { Pod } from '../resources/generated/types.js';
import { controllerOf } from '../resources/resource.js';
import { tieBreak } from '../reconcile/hash.js';
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

/** Everything that filters and scores read, as text. */
const identify = (pod: Pod): string => {
  const { spec } = pod;
  const containers = [...(spec.initContainers ?? []), ...spec.containers].map((container) => [
    container.restartPolicy,
    container.resources?.requests,
    container.ports?.filter(({ hostPort }) => hostPort !== undefined),
  ]);
  return JSON.stringify([
    groupsOf(pod),
    spec.nodeSelector,
    spec.affinity,
    spec.tolerations,
    spec.resources?.requests,
    spec.overhead,
    (spec.initContainers ?? []).length,
    containers,
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
    tie: tieBreak(id),
  };
};

/** Remembers the classes it has met, the most recent ones. */
export class PodClasses {
  readonly #known = new Map<string, PodClass>();

  of(pod: Pod): PodClass {
    const id = identify(pod);
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const derived = derive(id, pod);
    this.#known.set(id, derived);
    if (this.#known.size > remembered)
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    return derived;
  }
}
