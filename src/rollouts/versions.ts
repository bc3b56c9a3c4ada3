// A rollout's ReplicaSets as its strategies see them: the version that is wanted, the one known to be good, and others.
import { fromTimestamp } from '../base/clock.js';
import type { Instant } from '../base/clock.js';
import { actual, available, createdAt, oldestFirst, ready, specified } from '../reconcile/replica-sets.js';
import type { ReplicaSet } from '../resources/generated/types.js';
import { versionLabel } from '../resources/rollouts/service-version.js';

export const revisionAnnotation = 'rollout.argoproj.io/revision';
/** When a ReplicaSet that no traffic reaches any more goes, in RFC 3339. */
export const deadlineAnnotation = 'scale-down-deadline';

export interface Version {
  /** Of the ReplicaSet. */
  readonly name: string;
  /** Of its template. */
  readonly hash: string;
  readonly revision: number;
  /** `spec.replicas`. */
  readonly wanted: number;
  /** Pods that are there and not going. */
  readonly there: number;
  readonly ready: number;
  /** Never more than are wanted: what is going already does not count. */
  readonly available: number;
  readonly createdAt: Instant;
  /** When it goes, where that is settled. */
  readonly goesAt: Instant | undefined;
}

export interface Versions {
  /** Of the present template; undefined while it has no ReplicaSet. */
  readonly current: Version | undefined;
  /** The one that is known to be good; the same as `current` when nothing is under way. */
  readonly stable: Version | undefined;
  /** All others, the oldest first. */
  readonly others: readonly Version[];
}

export const hashOf = ({ metadata }: ReplicaSet): string => metadata.labels?.[versionLabel] ?? '';

export const revisionOf = ({ metadata }: Pick<ReplicaSet, 'metadata'>): number =>
  Number(metadata.annotations?.[revisionAnnotation] ?? 0) || 0;

export const versionOf = (set: ReplicaSet): Version => ({
  name: set.metadata.name,
  hash: hashOf(set),
  revision: revisionOf(set),
  wanted: specified(set),
  there: actual(set),
  ready: Math.min(ready(set), specified(set)),
  available: Math.min(available(set), specified(set)),
  createdAt: createdAt(set),
  goesAt: fromTimestamp(set.metadata.annotations?.[deadlineAnnotation]),
});

export const versionsOf = (sets: readonly ReplicaSet[], current: string, stable: string): Versions => {
  const all = oldestFirst(sets).map(versionOf);
  return {
    current: all.find(({ hash }) => hash === current),
    stable: all.find(({ hash }) => hash === stable),
    others: all.filter(({ hash }) => hash !== current && hash !== stable),
  };
};

/** Each once. */
export const allVersions = ({ current, stable, others }: Versions): readonly Version[] => [
  ...others,
  ...(stable === undefined || stable === current ? [] : [stable]),
  ...(current === undefined ? [] : [current]),
];
