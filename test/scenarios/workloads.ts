// Objects that scenarios make, and what they ask about them.
import { isPodActive, isPodReady } from '../../src/resources/pod-status.js';
import type { Deployment, Pod } from '../../src/resources/generated/types.js';
import { deployments } from '../../src/resources/kinds/deployments.js';
import { pods } from '../../src/resources/kinds/pods.js';
import type { Draft } from '../../src/resources/resource.js';
import type { Simulation } from './simulation.js';

export interface WebOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly replicas?: number;
  readonly image?: string;
  readonly maxSurge?: number | string;
  readonly maxUnavailable?: number | string;
  readonly spec?: object;
}

export const web = (options: WebOptions = {}): Draft<Deployment> => {
  const { name = 'web', namespace = 'default', replicas = 3, image = 'web:1' } = options;
  const { maxSurge = '25%', maxUnavailable = '25%', spec = {} } = options;
  return {
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'web', image, resources: { requests: { cpu: '100m' } } }] },
      },
      ...spec,
    },
  };
};

export const podsOf = ({ truth }: Simulation, app = 'web', namespace = 'default'): readonly Pod[] =>
  truth.view.list(pods, namespace).filter(({ metadata }) => metadata.labels?.['app'] === app);

export const readyPods = (simulation: Simulation, app = 'web'): readonly Pod[] =>
  podsOf(simulation, app).filter((pod) => isPodActive(pod) && isPodReady(pod));

export const deployment = (
  { truth }: Simulation,
  name = 'web',
  namespace = 'default',
): Deployment | undefined => truth.view.get(deployments, { name, namespace });

/** What `kubectl rollout status` waits for. */
export const rolledOut = (simulation: Simulation, name = 'web'): boolean => {
  const found = deployment(simulation, name);
  if (found === undefined) return false;
  const { metadata, spec, status = {} } = found;
  const wanted = spec.replicas ?? 1;
  return (
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted
  );
};

export const setImage = async ({ cluster }: Simulation, image: string, name = 'web'): Promise<void> => {
  await cluster.patch(
    deployments,
    { name, namespace: 'default' },
    {
      type: 'strategic',
      patch: { spec: { template: { spec: { containers: [{ name: 'web', image }] } } } },
    },
  );
};

export interface Extremes {
  /** Fewest pods that were ready at one time. */
  ready: number;
  /** Most pods that were there and not being deleted. */
  active: number;
}

/** Keeps the extremes from now on, looked at after every single change of a pod. */
export const watchExtremes = (simulation: Simulation, app = 'web'): Extremes => {
  const extremes: Extremes = { ready: Infinity, active: 0 };
  simulation.truth.subscribe(pods, () => {
    const active = podsOf(simulation, app).filter(isPodActive);
    extremes.active = Math.max(extremes.active, active.length);
    extremes.ready = Math.min(extremes.ready, active.filter(isPodReady).length);
  });
  return extremes;
};

/** Names of all pods that were ever made, from now on. */
export const watchCreated = (simulation: Simulation, app = 'web'): readonly string[] => {
  const created: string[] = [];
  simulation.truth.subscribe(pods, ({ type, object }) => {
    if (type === 'added' && object.metadata.labels?.['app'] === app) created.push(object.metadata.name);
  });
  return created;
};
