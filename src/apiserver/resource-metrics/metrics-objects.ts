// NodeMetrics and PodMetrics (metrics.k8s.io/v1beta1) as metrics-server makes them.
import type { Instant } from '../../base/clock.js';
import { toTimestamp } from '../../base/clock.js';
import type { Node, Pod } from '../../resources/generated/types.js';
import type { ObjectMeta, Resource } from '../../resources/resource.js';
import type { MemoryUsage, PodUsage, Usage, UsageSummary } from '../../resources/usage-summary.js';

export const metricsVersion = 'metrics.k8s.io/v1beta1';

interface Consumed {
  /** Billionths of a core: `12345n`. */
  readonly cpu: string;
  /** `2048Ki`. */
  readonly memory: string;
}

interface Measured extends Resource {
  readonly timestamp: string;
  /** Time over which the CPU was averaged, as Go writes durations. */
  readonly window: string;
}

export interface NodeMetrics extends Measured {
  readonly usage: Consumed;
}

export interface PodMetrics extends Measured {
  readonly containers: readonly { readonly name: string; readonly usage: Consumed }[];
}

/** Undefined while there is only one measurement. */
const consumed = (cpu: Usage, memory: MemoryUsage): Consumed | undefined =>
  cpu.usageNanoCores === undefined
    ? undefined
    : {
        cpu: `${String(cpu.usageNanoCores)}n`,
        memory: `${String(Math.floor(memory.workingSetBytes / 1024))}Ki`,
      };

const windowOf = (cpu: Usage): string => `${String((cpu.windowMs ?? 0) / 1000)}s`;

const metadataOf = ({ name, namespace, labels }: ObjectMeta, now: Instant): ObjectMeta =>
  ({
    name,
    ...(namespace === undefined ? {} : { namespace }),
    creationTimestamp: toTimestamp(now),
    ...(labels === undefined ? {} : { labels }),
  }) as ObjectMeta;

export const nodeMetrics = (
  node: Node,
  { node: { cpu, memory } }: UsageSummary,
  now: Instant,
): NodeMetrics | undefined => {
  const usage = consumed(cpu, memory);
  if (usage === undefined) return undefined;
  return {
    kind: 'NodeMetrics',
    apiVersion: metricsVersion,
    metadata: metadataOf(node.metadata, now),
    timestamp: cpu.time,
    window: windowOf(cpu),
    usage,
  };
};

/** Undefined until every container that was measured has a figure of CPU. */
export const podMetrics = (pod: Pod, { containers }: PodUsage, now: Instant): PodMetrics | undefined => {
  const [first] = containers;
  if (first === undefined) return undefined;
  const measured = containers.flatMap(({ name, cpu, memory }) => {
    const usage = consumed(cpu, memory);
    return usage === undefined ? [] : [{ name, usage }];
  });
  if (measured.length < containers.length) return undefined;
  return {
    kind: 'PodMetrics',
    apiVersion: metricsVersion,
    metadata: metadataOf(pod.metadata, now),
    timestamp: first.cpu.time,
    window: windowOf(first.cpu),
    containers: measured,
  };
};
