// The history of a DaemonSet's or StatefulSet's template: ControllerRevisions, as `kubectl rollout history` and `undo`
// read them. Follows `pkg/controller/history` and `daemon/update.go`.
import { canonical, equal, isObject } from '../base/json.js';
import type { Index } from '../client/view.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import { shortHash } from '../reconcile/hash.js';
import type { ControllerRevision, PodTemplateSpec } from '../resources/generated/types.js';
import { controllerrevisions } from '../resources/kinds/controllerrevisions.js';
import { controllerOf, isDeleting, nameOf, ownedBy } from '../resources/resource.js';
import type { Resource, StringMap } from '../resources/resource.js';

/** On revisions and on the pods that were made from them. */
export const revisionHashLabel = 'controller-revision-hash';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** By the uid of the managing owner. */
export const revisionsByController: Index<ControllerRevision> = {
  name: 'controllerrevisions by controller',
  kind: controllerrevisions,
  keys: (revision) => {
    const owner = controllerOf(revision);
    return owner === undefined ? [] : [owner.uid];
  },
};

/** What has a history: a DaemonSet, a StatefulSet. */
export interface Versioned extends Resource {
  readonly spec: {
    readonly template: PodTemplateSpec;
    readonly revisionHistoryLimit?: number | undefined;
  };
  readonly status?: { readonly collisionCount?: number | undefined } | undefined;
}

/** A patch of the owner that brings the template back. */
export const templateData = (template: PodTemplateSpec): unknown => ({
  spec: { template: { ...template, $patch: 'replace' } },
});

/** The template that a revision keeps; undefined for data that is none of ours. */
export const templateOf = ({ data }: ControllerRevision): PodTemplateSpec | undefined => {
  const spec = isObject(data) ? data['spec'] : undefined;
  const template = isObject(spec) ? spec['template'] : undefined;
  if (!isObject(template)) return undefined;
  const rest: Record<string, unknown> = { ...template };
  delete rest['$patch'];
  return rest;
};

export const hashOf = (owner: Versioned): string =>
  shortHash(10, canonical(owner.spec.template), owner.status?.collisionCount ?? 0);

export const revisionName = (owner: Versioned): string => `${owner.metadata.name}-${hashOf(owner)}`;

export interface HistoryInput {
  readonly owner: Versioned;
  readonly revisions: readonly ControllerRevision[];
  /** The revision that has the name of the next one already, whoever manages it. */
  readonly namesake: ControllerRevision | undefined;
}

export interface History {
  /** `controller-revision-hash` of the present template. */
  readonly hash: string;
  /** Name of its revision. */
  readonly name: string;
  readonly actions: readonly ClusterAction[];
  /** The name is taken by another template: the owner's `status.collisionCount` has to grow first. */
  readonly collides: boolean;
}

const byRevision = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision || (a.metadata.name < b.metadata.name ? -1 : 1);

const annotationsOf = ({ metadata }: Versioned): StringMap =>
  Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => name !== lastApplied));

const newRevision = (owner: Versioned, revision: number): ClusterAction => ({
  type: 'create',
  kind: controllerrevisions,
  object: {
    metadata: {
      name: revisionName(owner),
      namespace: owner.metadata.namespace,
      labels: { ...owner.spec.template.metadata?.labels, [revisionHashLabel]: hashOf(owner) },
      annotations: annotationsOf(owner),
      ownerReferences: [ownedBy(owner)],
    },
    data: templateData(owner.spec.template),
    revision,
  } as Extract<ClusterAction, { type: 'create' }>['object'],
});

/** What an owner of the same name left behind when it was deleted without its dependents. */
const adopted = (owner: Versioned, { metadata }: ControllerRevision): ClusterAction => ({
  type: 'patch',
  kind: controllerrevisions,
  name: { name: metadata.name, namespace: metadata.namespace },
  patch: {
    type: 'merge',
    patch: {
      metadata: {
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
        ownerReferences: [...(metadata.ownerReferences ?? []), ownedBy(owner)],
      },
    },
  },
});

/** The revision of the present template: made where there is none, moved to the end where it is an older one. */
export const historyOf = ({ owner, revisions, namesake }: HistoryInput): History => {
  const sorted = [...revisions].filter((revision) => !isDeleting(revision)).sort(byRevision);
  const last = sorted.at(-1)?.revision ?? 0;
  const data = templateData(owner.spec.template);
  const present = sorted.findLast((revision) => equal(revision.data, data));
  if (present === undefined) {
    if (namesake !== undefined && controllerOf(namesake) === undefined && equal(namesake.data, data))
      return {
        hash: hashOf(owner),
        name: revisionName(owner),
        actions: [adopted(owner, namesake)],
        collides: false,
      };
    const collides = namesake !== undefined;
    return {
      hash: hashOf(owner),
      name: revisionName(owner),
      actions: collides || isDeleting(owner) ? [] : [newRevision(owner, last + 1)],
      collides,
    };
  }
  const object: ControllerRevision = { ...present, revision: last + 1 };
  return {
    hash: present.metadata.labels?.[revisionHashLabel] ?? hashOf(owner),
    name: present.metadata.name,
    actions: present.revision === last ? [] : [{ type: 'update', kind: controllerrevisions, object }],
    collides: false,
  };
};

/** Revisions beyond `revisionHistoryLimit` that nothing is made from any more, the oldest first. */
export const historyCleanup = (
  owner: Versioned,
  revisions: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
): readonly ClusterAction[] => {
  const limit = owner.spec.revisionHistoryLimit ?? 10;
  const unused = revisions.filter((revision) => !isDeleting(revision) && !isLive(revision)).sort(byRevision);
  return unused.slice(0, Math.max(0, unused.length - limit)).map((revision) => ({
    type: 'delete',
    kind: controllerrevisions,
    name: nameOf(revision),
    options: { preconditions: { uid: revision.metadata.uid } },
  }));
};
