// Pods that a workload makes from its template and takes away again, each with the event that tells of it.
import type { ClusterAction, EventDraft } from '../reconcile/cluster-action.js';
import type { Failure } from '../reconcile/controller.js';
import type { Pod, PodSpec, PodTemplateSpec } from '../resources/generated/types.js';
import { pods } from '../resources/kinds/pods.js';
import { nameOf, ownedBy } from '../resources/resource.js';
import type { Draft, Resource, StringMap } from '../resources/resource.js';

export interface PodDraft {
  readonly name: string;
  /** Beside those of the template. */
  readonly labels?: StringMap | undefined;
  readonly annotations?: StringMap | undefined;
  readonly finalizers?: readonly string[] | undefined;
  /** In place of the template's members. */
  readonly spec?: Partial<PodSpec> | undefined;
}

/** A pod of the template, managed by the owner. */
export const podOf = (owner: Resource, template: PodTemplateSpec, draft: PodDraft): Draft<Pod> => {
  const { metadata, spec } = template;
  const labels = { ...metadata?.labels, ...draft.labels };
  const annotations = { ...metadata?.annotations, ...draft.annotations };
  const finalizers = [...(metadata?.finalizers ?? []), ...(draft.finalizers ?? [])];
  return {
    metadata: {
      name: draft.name,
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      labels,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(finalizers.length === 0 ? {} : { finalizers }),
      ownerReferences: [ownedBy(owner)],
    },
    spec: { containers: [], ...spec, ...draft.spec },
  };
};

export const event = (
  regarding: Resource,
  { type = 'Normal', reason, message }: Partial<EventDraft> & Pick<EventDraft, 'reason' | 'message'>,
): ClusterAction => ({ type: 'event', event: { regarding, type, reason, message } });

export const podCreations = (owner: Resource, drafts: readonly Draft<Pod>[]): readonly ClusterAction[] => [
  ...drafts.map((object): ClusterAction => ({ type: 'create', kind: pods, object })),
  ...drafts.map(({ metadata: { name = '' } }) =>
    event(owner, { reason: 'SuccessfulCreate', message: `Created pod: ${name}` }),
  ),
];

/** Deletions name the revision they were chosen at: a pod that became ready meanwhile is not taken for one that is not. */
export const podDeletions = (owner: Resource, doomed: readonly Pod[]): readonly ClusterAction[] => [
  ...doomed.map((pod): ClusterAction => {
    const { uid, resourceVersion } = pod.metadata;
    return {
      type: 'delete',
      kind: pods,
      name: nameOf(pod),
      options: { preconditions: { uid, resourceVersion } },
    };
  }),
  ...doomed.map((pod) =>
    event(owner, { reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` }),
  ),
];

/** Told once for each sentence: the recorder counts repeats. */
export const failureEvents = (owner: Resource, failure: Failure | undefined): readonly ClusterAction[] =>
  failure === undefined
    ? []
    : [
        event(owner, {
          type: 'Warning',
          reason: 'FailedCreate',
          message: `Error creating: ${failure.message}`,
        }),
      ];
