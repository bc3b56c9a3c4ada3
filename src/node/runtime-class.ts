// A pod's runtimeClassName -> the low-level runtime by which the engine runs its containers.
import { ClusterError, hasCode } from '../base/errors.js';
import type { Cluster } from '../client/cluster.js';
import type { Pod } from '../resources/generated/types.js';
import { runtimeclasses } from '../resources/kinds/runtimeclasses.js';

/** Undefined for the engine's own choice. Throws Invalid, in the words of Kubernetes, for a class that does not exist. */
export const runtimeHandlerOf = async (
  cluster: Pick<Cluster, 'get'>,
  { spec }: Pod,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const { runtimeClassName: name = '' } = spec;
  if (name === '') return undefined;
  try {
    return (await cluster.get(runtimeclasses, { name }, signal)).handler;
  } catch (error) {
    if (!hasCode(error, 'NotFound')) throw error;
    throw new ClusterError('Invalid', `RuntimeClass.node.k8s.io "${name}" not found`, { cause: error });
  }
};
