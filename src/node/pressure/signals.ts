// When a node is short of memory, disk or process numbers: the kubelet's hard thresholds and conditions.
import type { Instant } from '../../base/clock.js';

export interface Amount {
  readonly available: number;
  readonly capacity: number;
}

/** Bytes, and pieces of inodes and process numbers. */
export interface NodeMeasure {
  readonly memory: Amount;
  readonly disk: Amount;
  readonly inodes: Amount;
  readonly pids: Amount;
}

export type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

interface Threshold {
  readonly pressure: Pressure;
  /** As events name it. */
  readonly resource: string;
  of(measure: NodeMeasure): Amount;
  /** What must be left. */
  least(capacity: number): number;
}

const mebibyte = 1024 ** 2;

/** Source: the kubelet's defaults; for process numbers it has none. */
export const thresholds: readonly Threshold[] = [
  {
    pressure: 'MemoryPressure',
    resource: 'memory',
    of: ({ memory }) => memory,
    least: (capacity) => Math.min(100 * mebibyte, capacity * 0.05),
  },
  {
    pressure: 'DiskPressure',
    resource: 'ephemeral-storage',
    of: ({ disk }) => disk,
    least: (capacity) => capacity * 0.1,
  },
  {
    pressure: 'DiskPressure',
    resource: 'inodes',
    of: ({ inodes }) => inodes,
    least: (capacity) => capacity * 0.05,
  },
  { pressure: 'PIDPressure', resource: 'pids', of: ({ pids }) => pids, least: (capacity) => capacity * 0.02 },
];

export interface Shortage {
  readonly pressure: Pressure;
  readonly resource: string;
  readonly available: number;
  readonly least: number;
}

/** What is short now, the worst first: memory kills at once, a full disk slowly. */
export const shortagesOf = (measure: NodeMeasure): readonly Shortage[] =>
  thresholds.flatMap(({ pressure, resource, of, least }) => {
    const { available, capacity } = of(measure);
    // A file system without a fixed number of inodes says 0.
    if (capacity <= 0 || available >= least(capacity)) return [];
    return [{ pressure, resource, available, least: least(capacity) }];
  });

/** A condition holds this long after its last shortage, so that it does not flap. Kubernetes' default. */
export const transitionMs = 300_000;

export type LastShort = Readonly<Partial<Record<Pressure, Instant>>>;

export const noted = (before: LastShort, shortages: readonly Shortage[], now: Instant): LastShort =>
  shortages.reduce<LastShort>((known, { pressure }) => ({ ...known, [pressure]: now }), before);

export const pressuresOf = (last: LastShort, now: Instant): ReadonlySet<Pressure> =>
  new Set(
    (Object.entries(last) as [Pressure, Instant][])
      .filter(([, at]) => now - at < transitionMs)
      .map(([pressure]) => pressure),
  );
