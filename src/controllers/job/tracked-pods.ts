// Lets pods of Jobs go: those that ended and are noted in their Job's status, and those whose Job is no more.
import { podsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import type { Job, Pod } from '../../resources/generated/types.js';
import { jobs } from '../../resources/kinds/jobs.js';
import { pods } from '../../resources/kinds/pods.js';
import { controllerOf, isDeleting, nameOf } from '../../resources/resource.js';
import { isTracked, trackingFinalizer } from './job-pods.js';
import { finishedAs } from './outcome.js';
import { isNoted } from './tally.js';

export interface TrackedPod {
  readonly pod: Pod;
  /** The Job that manages it, while it exists. */
  readonly job: Job | undefined;
}

/** At the revision that was seen: a pod that changed meanwhile is looked at again. */
export const released = (pod: Pod): ClusterAction => {
  const { uid, resourceVersion, finalizers = [] } = pod.metadata;
  return {
    type: 'patch',
    kind: pods,
    name: nameOf(pod),
    patch: {
      type: 'merge',
      patch: {
        metadata: {
          uid,
          resourceVersion,
          finalizers: finalizers.filter((name) => name !== trackingFinalizer),
        },
      },
    },
  };
};

const observe = (view: View, key: Key): TrackedPod | undefined => {
  const pod = view.get(pods, key);
  if (pod === undefined || !isTracked(pod)) return undefined;
  const owner = controllerOf(pod);
  const job =
    owner?.kind === jobs.kind
      ? view.get(jobs, { name: owner.name, namespace: pod.metadata.namespace })
      : undefined;
  return { pod, job: job?.metadata.uid === owner?.uid ? job : undefined };
};

const reconcile = ({ pod, job }: TrackedPod): Decision<ClusterAction> => {
  if (job === undefined) return { actions: [released(pod)], because: 'no Job counts it' };
  if (isDeleting(job)) return { actions: [released(pod)], because: 'its Job is being deleted' };
  if (finishedAs(job) !== undefined) return { actions: [released(pod)], because: 'its Job is over' };
  return isNoted(pod, job)
    ? { actions: [released(pod)], because: 'its Job has taken note of how it ended' }
    : { actions: [], because: 'its Job has not counted it yet' };
};

const changed = (view: View, job: Job): readonly Key[] =>
  view.lookup(podsByController, job.metadata.uid).filter(isTracked).map(nameOf);

export const trackedPodController: Controller<TrackedPod, ClusterAction> = {
  name: 'job-pods',
  watches: [
    {
      kind: pods,
      keys: ({ type, object }) => (type === 'deleted' || !isTracked(object as Pod) ? [] : [nameOf(object)]),
    },
    { kind: jobs, keys: ({ object }, view) => changed(view, object as Job) },
  ],
  indexes: [podsByController],
  observe,
  reconcile,
};
