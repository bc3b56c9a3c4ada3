// ReplicaSets of a rollout: the new one for a template, sizes, times to go, revisions, and the end of old ones.
import { toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import { actual, specified } from '../../reconcile/replica-sets.js';
import type { PodTemplateSpec, ReplicaSet, Rollout } from '../../resources/generated/types.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import type { LabelSelector } from '../../resources/label-selector.js';
import { isDeleting, ownedBy } from '../../resources/resource.js';
import type { StringMap } from '../../resources/resource.js';
import { versionLabel } from '../../resources/rollouts/service-version.js';
import type { RolloutStep } from '../strategies/strategy.js';
import { deadlineAnnotation, hashOf, revisionAnnotation, revisionOf } from '../versions.js';
import { withMetadata } from './metadata.js';
import type { PodMetadata } from './metadata.js';

const desiredAnnotation = 'rollout.argoproj.io/desired-replicas';

const notCopied: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
]);

const copied = ({ metadata }: Rollout): StringMap =>
  Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !notCopied.has(name)));

export const setName = ({ metadata }: Rollout, hash: string): string => `${metadata.name}-${hash}`;

export interface NewSet {
  readonly hash: string;
  readonly revision: number;
  readonly selector: LabelSelector;
  readonly template: PodTemplateSpec;
}

/** Begins without pods: its size is the strategy's to say. */
export const newSet = (rollout: Rollout, { hash, revision, selector, template }: NewSet): ClusterAction => {
  const labels = { ...template.metadata?.labels, [versionLabel]: hash };
  const { minReadySeconds = 0 } = rollout.spec;
  return {
    type: 'create',
    kind: replicasets,
    object: {
      metadata: {
        name: setName(rollout, hash),
        namespace: rollout.metadata.namespace,
        labels,
        annotations: {
          ...copied(rollout),
          [revisionAnnotation]: String(revision),
          [desiredAnnotation]: String(rollout.spec.replicas ?? 1),
        },
        ownerReferences: [ownedBy(rollout)],
      },
      spec: {
        replicas: 0,
        ...(minReadySeconds === 0 ? {} : { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [versionLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    } as Extract<ClusterAction, { type: 'create' }>['object'],
  };
};

export const nextRevision = (sets: readonly ReplicaSet[]): number => Math.max(0, ...sets.map(revisionOf)) + 1;

const withAnnotations = (
  set: ReplicaSet,
  changes: Readonly<Record<string, string | undefined>>,
): ReplicaSet => {
  const annotations = { ...set.metadata.annotations };
  for (const [name, value] of Object.entries(changes))
    if (value === undefined) Reflect.deleteProperty(annotations, name);
    else annotations[name] = value;
  return equal(annotations, set.metadata.annotations ?? {})
    ? set
    : { ...set, metadata: { ...set.metadata, annotations } };
};

export interface SetChanges {
  readonly rollout: Rollout;
  readonly sets: readonly ReplicaSet[];
  readonly current: string;
  readonly step: Pick<RolloutStep, 'sizes' | 'deadlines'>;
  /** Labels and annotations that pods have while they play a part, by hash. */
  readonly roles: ReadonlyMap<string, PodMetadata>;
}

const stamp = (at: Instant | undefined): string | undefined =>
  at === undefined ? undefined : toTimestamp(at);

const scalingEvent = (rollout: Rollout, set: ReplicaSet, size: number): ClusterAction => {
  const from = specified(set);
  return {
    type: 'event',
    event: {
      regarding: rollout,
      type: 'Normal',
      reason: 'ScalingReplicaSet',
      message: `Scaled ${size > from ? 'up' : 'down'} ReplicaSet ${set.metadata.name} (revision ${String(revisionOf(set))}) from ${String(from)} to ${String(size)}`,
    },
  };
};

/** One update for each ReplicaSet that changes, whatever changes of it. */
export const setUpdates = ({ rollout, sets, current, step, roles }: SetChanges): readonly ClusterAction[] => {
  const others = sets.filter((set) => hashOf(set) !== current);
  return sets.flatMap((set): readonly ClusterAction[] => {
    const { name } = set.metadata;
    let next = withMetadata(set, roles.get(hashOf(set)));
    if (step.deadlines.has(name))
      next = withAnnotations(next, { [deadlineAnnotation]: stamp(step.deadlines.get(name)) });
    if (hashOf(set) === current) {
      const revision = Math.max(revisionOf(set), nextRevision(others));
      next = withAnnotations(next, {
        ...copied(rollout),
        [revisionAnnotation]: String(revision),
        [desiredAnnotation]: String(rollout.spec.replicas ?? 1),
      });
      const { minReadySeconds = 0 } = rollout.spec;
      if ((set.spec.minReadySeconds ?? 0) !== minReadySeconds)
        next = { ...next, spec: { ...next.spec, minReadySeconds } };
    }
    const size = step.sizes.get(name);
    if (size !== undefined && size !== specified(set)) {
      next = { ...next, spec: { ...next.spec, replicas: size } };
      return [{ type: 'update', kind: replicasets, object: next }, scalingEvent(rollout, set, size)];
    }
    return next === set ? [] : [{ type: 'update', kind: replicasets, object: next }];
  });
};

/** Old ReplicaSets beyond `revisionHistoryLimit`, the lowest revisions first; none that may still have pods. */
export const cleanup = (rollout: Rollout, old: readonly ReplicaSet[]): readonly ClusterAction[] => {
  const limit = rollout.spec.revisionHistoryLimit ?? 10;
  const kept = old.filter((set) => !isDeleting(set));
  return [...kept]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, kept.length - limit))
    .filter(
      (set) =>
        specified(set) === 0 &&
        actual(set) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
    .map(({ metadata: { name, namespace, uid, resourceVersion } }) => ({
      type: 'delete',
      kind: replicasets,
      name: { name, namespace },
      options: { propagationPolicy: 'Background', preconditions: { uid, resourceVersion } },
    }));
};
