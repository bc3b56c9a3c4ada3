// The autoscalers of a master: what pods consume comes from their agents, everything else from a Prometheus.
import type { UsageReader } from '../apiserver/resource-metrics/usage-reader.js';
import { fromTimestamp } from '../base/clock.js';
import type { Identity } from '../base/http.js';
import type { Cluster } from '../client/cluster.js';
import {
  Autoscaler,
  type AutoscalerOptions,
  type MetricsPort,
} from '../controllers/autoscaling/autoscaler.js';
import type { PodConsumption } from '../controllers/autoscaling/facts.js';
import { queryPrometheus } from '../host/prometheus.js';
import { createClusterExecutor } from '../reconcile/cluster-executor.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import { identities } from './identities.js';
import type { Tasks } from './tasks.js';
import type { PodUsage } from '../resources/usage-summary.js';

const consumptionOf = ({ containers }: PodUsage): PodConsumption | undefined => {
  const [first] = containers;
  const at = fromTimestamp(first?.cpu.time);
  if (first === undefined || at === undefined) return undefined;
  return {
    at,
    windowMs: first.cpu.windowMs ?? 0,
    containers: new Map(
      containers.map(({ name, cpu, memory }) => [
        name,
        {
          memory: memory.workingSetBytes,
          ...(cpu.usageNanoCores === undefined ? {} : { cpu: cpu.usageNanoCores / 1_000_000 }),
        },
      ]),
    ),
  };
};

const metricsOf = (usage: UsageReader): MetricsPort => ({
  consumption: async (pods) => {
    const wanted = new Set(pods.map(({ metadata }) => metadata.uid));
    const nodes = pods.flatMap(({ spec }) => (spec.nodeName === undefined ? [] : [spec.nodeName]));
    const found = new Map<string, PodConsumption>();
    for (const summary of (await usage.ofNodes(nodes)).values())
      for (const pod of summary.pods) {
        const consumption = wanted.has(pod.podRef.uid) ? consumptionOf(pod) : undefined;
        if (consumption !== undefined) found.set(pod.podRef.uid, consumption);
      }
    return found;
  },
  query: queryPrometheus,
});

export interface AutoscalingOptions extends Omit<AutoscalerOptions, 'metrics' | 'executor'> {
  readonly usage: UsageReader;
  readonly cluster: Cluster;
  recorderFor(component: string, identity: Identity): EventRecorder;
}

export const startAutoscaler = (options: AutoscalingOptions, tasks: Tasks): void => {
  const { usage, cluster, recorderFor, log } = options;
  const autoscaler = new Autoscaler({
    ...options,
    executor: createClusterExecutor({
      cluster,
      events: recorderFor('horizontal-pod-autoscaler', identities.controllers),
      fieldManager: 'capstan-autoscaler',
    }),
    metrics: metricsOf(usage),
    log: log.child({ part: 'autoscaler' }),
  });
  tasks.start('autoscaler', (signal) => autoscaler.run(signal));
};
