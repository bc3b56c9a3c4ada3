// ReplicaSets as those see them who own several: their sizes, their order, and which one has a template.
import { fromTimestamp } from '../base/clock.js';
import { equal } from '../base/json.js';
import type { PodTemplateSpec, ReplicaSet } from '../resources/generated/types.js';
import type { StringMap } from '../resources/resource.js';

export const specified = (set: ReplicaSet): number => set.spec.replicas ?? 1;
export const actual = (set: ReplicaSet): number => set.status?.replicas ?? 0;
export const available = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0;
export const ready = (set: ReplicaSet): number => set.status?.readyReplicas ?? 0;

export const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number =>
  sets.reduce((total, set) => total + of(set), 0);

/** A count, or a part of `of` such as `25%`; that is also what an absent value stands for. */
export const resolveCount = (
  value: number | string | undefined,
  of: number,
  round: (n: number) => number,
): number => {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value ?? '25%')?.[1];
  return percent === undefined ? 0 : round((Number(percent) * of) / 100);
};

export const createdAt = ({ metadata }: ReplicaSet): number => fromTimestamp(metadata.creationTimestamp) ?? 0;

export const oldestFirst = (sets: readonly ReplicaSet[]): readonly ReplicaSet[] =>
  [...sets].sort((a, b) => createdAt(a) - createdAt(b) || (a.metadata.name < b.metadata.name ? -1 : 1));

const without = (labels: StringMap | undefined, label: string): StringMap =>
  Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => name !== label));

/** The hash label is the only difference between an owner's template and its ReplicaSet's. */
export const isSameTemplate = (
  a: PodTemplateSpec | undefined,
  b: PodTemplateSpec | undefined,
  hashLabel: string,
): boolean =>
  equal(without(a?.metadata?.labels, hashLabel), without(b?.metadata?.labels, hashLabel)) &&
  equal(a?.metadata?.annotations ?? {}, b?.metadata?.annotations ?? {}) &&
  equal(a?.spec, b?.spec);
