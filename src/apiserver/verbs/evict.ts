// Asks a pod to leave its node: a deletion with the pod's own grace period.
import type { DeleteOptions } from '../../client/cluster.js';
import { pods } from '../../resources/kinds/pods.js';
import type { ObjectName } from '../../resources/resource.js';
import type { CallOptions } from '../registry.js';
import type { VerbContext } from './context.js';
import { deleteObject } from './delete.js';

export const evict = async (
  context: VerbContext,
  request: { readonly name: ObjectName; readonly deletion: DeleteOptions; readonly options: CallOptions },
): Promise<void> => {
  await deleteObject(context, pods, request);
};
