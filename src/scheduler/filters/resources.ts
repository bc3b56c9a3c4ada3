// What the pod requests must be free: allocatable minus what the pods on the node request.
import type { Filter, NodeView } from '../placement.js';

const tooMany = 'Too many pods';
const insufficient = 'Insufficient ';

const free = (resource: string, { allocatable, used }: NodeView): number =>
  (allocatable[resource] ?? 0) - (used[resource] ?? 0);

const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
const bytes: ReadonlySet<string> = new Set(['memory', 'ephemeral-storage']);

/** Cores for CPU, binary units for what is counted in bytes. */
const amount = (resource: string, value: number): string => {
  if (resource === 'cpu') return String(Math.round(value) / 1000);
  if (!bytes.has(resource)) return String(value);
  let scaled = value;
  let unit = 0;
  while (Math.abs(scaled) >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${String(Math.round(scaled * 10) / 10)}${units[unit] ?? ''}`;
};

export const resources: Filter = {
  name: 'resources',
  preemptible: true,
  reject: (pod, node) => {
    for (const [resource, wanted] of pod.wants)
      if (wanted > free(resource, node)) return resource === 'pods' ? tooMany : `${insufficient}${resource}`;
    return undefined;
  },
  detail: (pod, reason, rejected) => {
    if (reason === tooMany) return undefined;
    const resource = reason.slice(insufficient.length);
    const most = Math.max(...rejected.map((node) => free(resource, node)));
    return `needs ${amount(resource, pod.requests[resource] ?? 0)}, ${amount(resource, Math.max(0, most))} free at most`;
  },
};
