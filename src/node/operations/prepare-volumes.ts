// Sets up a pod's volumes on the node's disk, or makes those that show objects of the cluster show their new content.
import { messageOf } from '../../base/errors.js';
import { placeOf } from '../node-context.js';
import type { NodeFiles } from '../node-files.js';
import type { PodAction } from '../pod-actions.js';
import type { PodScope } from '../pod-scope.js';
import { mountFailure, planVolumes, volumesVersion } from '../volume-plan.js';
import type { VolumePlan } from '../volume-plan.js';

const setUp = async (files: NodeFiles, podUid: string, plan: VolumePlan): Promise<string> => {
  const name = { podUid, volume: plan.name };
  switch (plan.type) {
    case 'empty':
      return files.emptyDirectory(name, plan);
    case 'host':
      await files.checkHostPath(plan.path, plan.pathType);
      return plan.path;
    case 'files':
      return files.project(name, plan);
    case 'folder':
      return files.folder(plan.path, {
        type: plan.pathType,
        group: plan.owned ? plan.group : undefined,
        onRootMismatch: plan.onRootMismatch,
      });
    case 'nfs':
      return files.mountNfs(name, plan);
  }
};

export const prepareVolumes = async (
  scope: PodScope,
  { version }: Extract<PodAction, { type: 'prepareVolumes' }>,
  signal: AbortSignal,
): Promise<void> => {
  const { files, source, clock } = scope.node;
  const pod = scope.pod();
  const plans = planVolumes({ pod, references: source, place: placeOf(scope.node, undefined) });
  // Something changed between the decision and now: the next look decides anew.
  if (plans.type !== 'value' || volumesVersion({ pod, references: source }) !== version) return;
  const known = scope.memory().volumes;
  const paths: Record<string, string> = { ...known.paths };
  for (const plan of plans.value) {
    signal.throwIfAborted();
    // What is there already and cannot change stays untouched.
    if (plan.type !== 'files' && known.paths[plan.name] !== undefined) continue;
    try {
      paths[plan.name] = await setUp(files, pod.metadata.uid, plan);
    } catch (error) {
      const message = mountFailure(plan.name, messageOf(error));
      const failures = (known.failure?.version === version ? known.failure.failures : 0) + 1;
      scope.update((memory) => ({
        ...memory,
        volumes: { ...memory.volumes, paths, failure: { message, at: clock.now(), failures, version } },
      }));
      return;
    }
  }
  scope.update((memory) => ({ ...memory, volumes: { version, paths } }));
};
