// Who has to leave a node that is short of something, and why: Kubernetes' order of eviction.
import type { Pod } from '../../resources/generated/types.js';
import { podLimits, podRequests } from '../../resources/pod-resources.js';
import { wholeValue } from '../../resources/quantity.js';
import type { Shortage } from './signals.js';

export interface PodUsage {
  readonly pod: Pod;
  readonly memoryBytes: number;
  /** Logs, writable layers and volumes on the node's disk. */
  readonly diskBytes: number;
  readonly volumeBytes: ReadonlyMap<string, number>;
}

export interface Eviction {
  readonly reason: 'Evicted';
  readonly message: string;
}

/** Priority from which on a pod is what the node itself lives on. */
const criticalPriority = 2_000_000_000;

const isCritical = ({ metadata, spec }: Pod): boolean =>
  (spec.priority ?? 0) >= criticalPriority ||
  metadata.annotations?.['kubernetes.io/config.source'] === 'file';

const resourceOf = ({ pressure }: Shortage): 'memory' | 'ephemeral-storage' =>
  pressure === 'MemoryPressure' ? 'memory' : 'ephemeral-storage';

const usedOf = (usage: PodUsage, shortage: Shortage): number =>
  resourceOf(shortage) === 'memory' ? usage.memoryBytes : usage.diskBytes;

const requestOf = ({ pod }: PodUsage, shortage: Shortage): number =>
  podRequests(pod.spec)[resourceOf(shortage)] ?? 0;

/** Those beyond their request first, then by priority, then by how far they are beyond it. */
export const rankForEviction = (usages: readonly PodUsage[], shortage: Shortage): readonly PodUsage[] => {
  const over = (usage: PodUsage): number => usedOf(usage, shortage) - requestOf(usage, shortage);
  return usages
    .filter(({ pod }) => !isCritical(pod))
    .sort(
      (a, b) =>
        Number(over(b) > 0) - Number(over(a) > 0) ||
        (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) ||
        over(b) - over(a),
    );
};

const binary = (bytes: number): string => {
  const steps = ['', 'Ki', 'Mi', 'Gi', 'Ti'];
  let value = bytes;
  let step = 0;
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${Math.round(value * 10) / 10}${steps[step] ?? ''}`;
};

export const evictionFor = (usage: PodUsage, shortage: Shortage): Eviction => {
  const { resource, available, least } = shortage;
  const plain = resource === 'pids' || resource === 'inodes';
  const shown = (value: number): string => (plain ? String(Math.floor(value)) : binary(value));
  const measured = resourceOf(shortage);
  return {
    reason: 'Evicted',
    message: `The node was low on resource: ${resource}. Threshold quantity: ${shown(least)}, available: ${shown(available)}. Pod was using ${binary(usedOf(usage, shortage))} of ${measured}, request is ${binary(requestOf(usage, shortage))}.`,
  };
};

/** Some limit of its own makes the pod's use of the disk worth measuring. */
export const hasDiskLimit = ({ spec }: Pod): boolean =>
  (spec.volumes ?? []).some(
    ({ emptyDir }) => emptyDir?.sizeLimit !== undefined && emptyDir.medium !== 'Memory',
  ) || podLimits(spec)['ephemeral-storage'] !== undefined;

/** A pod that uses more of the disk than it said it would leaves, whatever the node has left. */
export const beyondOwnLimit = ({ pod, diskBytes, volumeBytes }: PodUsage): Eviction | undefined => {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (emptyDir?.sizeLimit === undefined || emptyDir.medium === 'Memory') continue;
    if ((volumeBytes.get(name) ?? 0) > wholeValue(emptyDir.sizeLimit))
      return {
        reason: 'Evicted',
        message: `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir.sizeLimit}". `,
      };
  }
  const limit = podLimits(pod.spec)['ephemeral-storage'];
  return limit !== undefined && diskBytes > limit
    ? {
        reason: 'Evicted',
        message: `Pod ephemeral local storage usage exceeds the total limit of containers ${binary(limit)}. `,
      }
    : undefined;
};
