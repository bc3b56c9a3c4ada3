// Gives a pod its node, once.
import { toTimestamp } from '../../base/clock.js';
import { withoutCondition } from '../../resources/conditions.js';
import type { Pod } from '../../resources/generated/types.js';
import { pods } from '../../resources/kinds/pods.js';
import { isDeleting } from '../../resources/resource.js';
import type { ObjectName } from '../../resources/resource.js';
import { RevisionConflict } from '../../store/store.js';
import type { CallOptions } from '../registry.js';
import { commit } from './commit.js';
import { live, liveEntry } from './context.js';
import type { VerbContext } from './context.js';
import { badRequest, conflict } from './rejections.js';

export interface Binding {
  readonly pod: ObjectName;
  readonly uid: string | undefined;
  readonly node: string;
  readonly options: CallOptions;
}

const checkBindable = (pod: Pod, { uid }: Binding): void => {
  const { name, uid: actual } = pod.metadata;
  if (uid !== undefined && uid !== '' && uid !== actual)
    throw conflict(
      pods,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${actual}`,
    );
  if (isDeleting(pod))
    throw conflict(pods, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  const assigned = pod.spec.nodeName ?? '';
  if (assigned !== '')
    throw conflict(pods, name, `pod ${name} is already assigned to node ${JSON.stringify(assigned)}`);
};

const bound = (pod: Pod, node: string, now: number): Pod => ({
  ...pod,
  spec: { ...pod.spec, nodeName: node },
  status: {
    ...pod.status,
    // The reason why it was not scheduled before goes with the old condition.
    conditions: [
      ...withoutCondition(pod.status?.conditions, 'PodScheduled'),
      { type: 'PodScheduled', status: 'True', lastTransitionTime: toTimestamp(now) },
    ],
  },
});

/** Throws NotFound, BadRequest, and Conflict when the pod has a node or is being deleted. */
export const bind = async (context: VerbContext, binding: Binding): Promise<void> => {
  if (binding.node === '') throw badRequest('target.name is required: it names the node');
  for (;;) {
    const entry = liveEntry(context, pods, binding.pod);
    const pod = live(context, entry).object as unknown as Pod;
    checkBindable(pod, binding);
    if (binding.options.dryRun === true) return;
    try {
      const object = bound(pod, binding.node, context.clock.now());
      await commit(context, pods, { object, expected: entry.modified });
      return;
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }
};
