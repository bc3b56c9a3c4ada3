// Rollouts in scenarios: one of five pods, and what is asked about it.
import type { Rollout } from '../../src/resources/generated/types.js';
import { endpointslices } from '../../src/resources/kinds/endpointslices.js';
import { rollouts } from '../../src/resources/kinds/rollouts.js';
import { services } from '../../src/resources/kinds/services.js';
import { isPodActive, isPodReady } from '../../src/resources/pod-status.js';
import type { Simulation } from './simulation.js';
import { podsOf } from './workloads.js';

export const name = { name: 'web', namespace: 'default' };

export const manifest = (
  strategy: object,
  spec: object = {},
): Parameters<Simulation['cluster']['create']>[1] =>
  ({
    metadata: name,
    spec: {
      replicas: 5,
      selector: { matchLabels: { app: 'web' } },
      strategy,
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'web:1', resources: { requests: { cpu: '100m' } } }] },
      },
      ...spec,
    },
  }) as never;

export const rollout = ({ truth }: Simulation): Rollout =>
  truth.view.get(rollouts, name) ?? ({ metadata: { generation: -1 }, status: {} } as Rollout);
export const phase = (simulation: Simulation): string | undefined => rollout(simulation).status?.phase;
export const isSeen = (simulation: Simulation): boolean =>
  rollout(simulation).status?.observedGeneration === String(rollout(simulation).metadata.generation);

export const reaches = async (simulation: Simulation, wanted: string): Promise<void> => {
  await simulation.until(
    `the rollout is ${wanted}; it is ${JSON.stringify(rollout(simulation).status?.message)}`,
    () => isSeen(simulation) && phase(simulation) === wanted,
    200_000,
  );
};

export const start = async (simulation: Simulation, strategy: object, spec: object = {}): Promise<void> => {
  await simulation.cluster.create(rollouts, manifest(strategy, spec));
  await simulation.until('the first version runs', () => phase(simulation) === 'Healthy');
};

export const setImage = async ({ cluster }: Simulation, image: string): Promise<void> => {
  const operations = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: image }];
  await cluster.patch(rollouts, name, { type: 'json', operations });
};

export const patchStatus = async ({ cluster }: Simulation, status: object): Promise<void> => {
  await cluster.patch(rollouts, name, { type: 'merge', patch: { status } }, { subresource: 'status' });
};

/** Images of the pods that are ready, with how many each has. */
export const images = (simulation: Simulation): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const pod of podsOf(simulation)) {
    if (!isPodActive(pod) || !isPodReady(pod)) continue;
    const image = pod.spec.containers[0]?.image ?? '';
    counts[image] = (counts[image] ?? 0) + 1;
  }
  return counts;
};

export const makeServices = async ({ cluster }: Simulation, ...names: readonly string[]): Promise<void> => {
  for (const service of names)
    await cluster.create(services, {
      metadata: { name: service, namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
};

/** Parts of the traffic to a service by image, as the proxy sees them, in percent. */
export const shares = (simulation: Simulation, service: string): Readonly<Record<string, number>> => {
  const byUid = new Map(
    podsOf(simulation).map((pod) => [pod.metadata.uid, pod.spec.containers[0]?.image ?? '']),
  );
  const sums: Record<string, number> = {};
  let all = 0;
  for (const slice of simulation.truth.view.list(endpointslices, 'default')) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service) continue;
    const text = slice.metadata.annotations?.['capstan.dev/weights'];
    const weights = text === undefined ? undefined : (JSON.parse(text) as Record<string, number>);
    for (const { addresses, conditions, targetRef } of slice.endpoints) {
      if (conditions?.ready !== true) continue;
      const weight = weights === undefined ? 1 : (weights[addresses[0] ?? ''] ?? 0);
      const image = byUid.get(targetRef?.uid ?? '') ?? '';
      sums[image] = (sums[image] ?? 0) + weight;
      all += weight;
    }
  }
  return Object.fromEntries(
    Object.entries(sums)
      .filter(([, sum]) => sum > 0)
      .map(([image, sum]) => [image, Math.round((sum * 100) / all)]),
  );
};
