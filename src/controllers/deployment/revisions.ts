// A Deployment's ReplicaSets as its history: which one is current, their revision numbers, what kubectl reads of them.
import { canonical, equal } from '../../base/json.js';
import { shortHash } from '../../reconcile/hash.js';
import { isSameTemplate as isSameBut, oldestFirst } from '../../reconcile/replica-sets.js';
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../resources/generated/types.js';
import { ownedBy } from '../../resources/resource.js';
import type { Draft, StringMap } from '../../resources/resource.js';

export const hashLabel = 'pod-template-hash';
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas';

/** What belongs to the Deployment or to one ReplicaSet alone; everything else is copied, such as the change cause. */
const notCopied: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
]);

const longestHistory = 2000;

export interface Sets {
  /** Of the Deployment's present template. */
  readonly current: ReplicaSet | undefined;
  /** All others, oldest first. */
  readonly old: readonly ReplicaSet[];
}

/** The hash label is the only difference between a Deployment's template and its ReplicaSet's. */
export const isSameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean =>
  isSameBut(a, b, hashLabel);

/** Where several have the present template, the oldest is the current one. */
export const splitSets = (deployment: Deployment, sets: readonly ReplicaSet[]): Sets => {
  const ordered = oldestFirst(sets);
  const current = ordered.find(({ spec }) => isSameTemplate(spec.template, deployment.spec.template));
  return { current, old: ordered.filter((set) => set !== current) };
};

export const revisionOf = ({ metadata }: ReplicaSet | Deployment): number =>
  Number(metadata.annotations?.[revisionAnnotation] ?? 0) || 0;

export const nextRevision = (old: readonly ReplicaSet[]): number => Math.max(0, ...old.map(revisionOf)) + 1;

const historyOf = (set: ReplicaSet, previous: number): string | undefined => {
  const known = set.metadata.annotations?.[historyAnnotation];
  if (previous === 0) return known;
  const all = known === undefined || known === '' ? [] : known.split(',');
  all.push(String(previous));
  while (all.join(',').length > longestHistory) all.shift();
  return all.join(',');
};

const copied = (deployment: Deployment): StringMap =>
  Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !notCopied.has(name)),
  );

/** The current ReplicaSet with the Deployment's annotations and, where it became current again, a new revision. */
export const annotated = (deployment: Deployment, set: ReplicaSet, revision: number): ReplicaSet => {
  const annotations: Record<string, string> = { ...set.metadata.annotations, ...copied(deployment) };
  const previous = revisionOf(set);
  if (previous < revision) {
    annotations[revisionAnnotation] = String(revision);
    const history = historyOf(set, previous);
    if (history !== undefined) annotations[historyAnnotation] = history;
  }
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const sameAge = (set.spec.minReadySeconds ?? 0) === minReadySeconds;
  if (sameAge && equal(annotations, set.metadata.annotations ?? {})) return set;
  return {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: sameAge ? set.spec : { ...set.spec, minReadySeconds },
  };
};

export const templateHash = (deployment: Deployment): string =>
  shortHash(10, canonical(deployment.spec.template), deployment.status?.collisionCount ?? 0);

export const currentName = (deployment: Deployment): string =>
  `${deployment.metadata.name}-${templateHash(deployment)}`;

export interface Sizes {
  readonly replicas: number;
  /** The most pods that the Deployment may have: its replicas and the surge. */
  readonly most: number;
}

export const sizeAnnotations = (deployment: Deployment, most: number): StringMap => ({
  [desiredAnnotation]: String(deployment.spec.replicas ?? 1),
  [maxAnnotation]: String(most),
});

export const newReplicaSet = (
  deployment: Deployment,
  revision: number,
  { replicas, most }: Sizes,
): Draft<ReplicaSet> => {
  const { spec } = deployment;
  const hash = templateHash(deployment);
  const { metadata } = spec.template;
  const labels = { ...metadata?.labels, [hashLabel]: hash };
  return {
    metadata: {
      name: currentName(deployment),
      namespace: deployment.metadata.namespace,
      labels,
      annotations: {
        ...copied(deployment),
        [revisionAnnotation]: String(revision),
        ...sizeAnnotations(deployment, most),
      },
      ownerReferences: [ownedBy(deployment)],
    },
    spec: {
      replicas,
      ...(spec.minReadySeconds === undefined || spec.minReadySeconds === 0
        ? {}
        : { minReadySeconds: spec.minReadySeconds }),
      selector: {
        ...spec.selector,
        matchLabels: { ...spec.selector.matchLabels, [hashLabel]: hash },
      },
      template: { ...spec.template, metadata: { ...metadata, labels } },
    },
  };
};
