// Labels and annotations that pods have only while their version plays a part: canary, stable, preview, active.
import { equal, isObject } from '../../base/json.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type {
  Pod,
  ReplicaSet,
  RolloutPodMetadata,
  RolloutStrategy,
} from '../../resources/generated/types.js';
import { pods } from '../../resources/kinds/pods.js';
import { isDeleting, nameOf } from '../../resources/resource.js';
import type { DraftMeta, StringMap } from '../../resources/resource.js';
import { isUpdating } from '../strategies/strategy.js';
import type { Progress } from '../strategies/strategy.js';

export interface PodMetadata {
  readonly labels: StringMap;
  readonly annotations: StringMap;
}

/** What was added to a ReplicaSet's template, so that it can be taken away again. As Argo Rollouts has it. */
export const ephemeralAnnotation = 'rollout.argoproj.io/ephemeral-metadata';

const nothing: PodMetadata = { labels: {}, annotations: {} };

const of = (metadata: RolloutPodMetadata | undefined): PodMetadata => ({
  labels: metadata?.labels ?? {},
  annotations: metadata?.annotations ?? {},
});

/** By hash; a version without a part of its own has none. */
export const rolesOf = (
  strategy: RolloutStrategy | undefined,
  progress: Progress,
): ReadonlyMap<string, PodMetadata> => {
  const { canary, blueGreen } = strategy ?? {};
  const newer = of(canary === undefined ? blueGreen?.previewMetadata : canary.canaryMetadata);
  const older = of(canary === undefined ? blueGreen?.activeMetadata : canary.stableMetadata);
  const isActive = canary === undefined && progress.active === progress.current;
  const roles = new Map<string, PodMetadata>();
  if (progress.stable !== '') roles.set(progress.stable, older);
  if (isUpdating(progress)) roles.set(progress.current, isActive ? older : newer);
  else roles.set(progress.current, older);
  return roles;
};

const earlier = ({ metadata }: ReplicaSet): PodMetadata => {
  const text = metadata.annotations?.[ephemeralAnnotation];
  if (text === undefined) return nothing;
  const value: unknown = JSON.parse(text);
  return isObject(value) ? { ...nothing, ...(value as Partial<PodMetadata>) } : nothing;
};

const isNothing = ({ labels, annotations }: PodMetadata): boolean =>
  Object.keys(labels).length + Object.keys(annotations).length === 0;

const changed = (map: StringMap | undefined, away: StringMap, wanted: StringMap): StringMap => ({
  ...Object.fromEntries(Object.entries(map ?? {}).filter(([name, value]) => away[name] !== value)),
  ...wanted,
});

const changedMeta = (metadata: DraftMeta | undefined, away: PodMetadata, wanted: PodMetadata): DraftMeta => ({
  ...metadata,
  labels: changed(metadata?.labels, away.labels, wanted.labels),
  annotations: changed(metadata?.annotations, away.annotations, wanted.annotations),
});

/** The ReplicaSet whose new pods have what the part wants; the same one when nothing changes. */
export const withMetadata = (set: ReplicaSet, wanted: PodMetadata = nothing): ReplicaSet => {
  const away = earlier(set);
  if (equal(away, wanted)) return set;
  const annotations = { ...set.metadata.annotations };
  if (isNothing(wanted)) Reflect.deleteProperty(annotations, ephemeralAnnotation);
  else annotations[ephemeralAnnotation] = JSON.stringify(wanted);
  return {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: {
      ...set.spec,
      template: { ...set.spec.template, metadata: changedMeta(set.spec.template?.metadata, away, wanted) },
    },
  };
};

/** Pods that are there already get it too. */
export const podMetadataActions = (
  set: ReplicaSet,
  owned: readonly Pod[],
  wanted: PodMetadata = nothing,
): readonly ClusterAction[] => {
  const away = earlier(set);
  if (isNothing(wanted) && isNothing(away)) return [];
  return owned
    .filter((pod) => !isDeleting(pod))
    .flatMap((pod): readonly ClusterAction[] => {
      const next = changedMeta(pod.metadata, equal(away, wanted) ? nothing : away, wanted);
      if (
        equal(next.labels, pod.metadata.labels ?? {}) &&
        equal(next.annotations, pod.metadata.annotations ?? {})
      )
        return [];
      const taken = (map: StringMap, kept: StringMap | undefined): Readonly<Record<string, null>> =>
        Object.fromEntries(
          Object.keys(map)
            .filter((name) => kept?.[name] === undefined)
            .map((name) => [name, null]),
        );
      return [
        {
          type: 'patch',
          kind: pods,
          name: nameOf(pod),
          patch: {
            type: 'merge',
            patch: {
              metadata: {
                labels: { ...taken(away.labels, next.labels), ...wanted.labels },
                annotations: { ...taken(away.annotations, next.annotations), ...wanted.annotations },
              },
            },
          },
        },
      ];
    });
};
