// Makes and starts the container that holds a pod's network, under an address of the node's pod CIDR.
import { ClusterError, hasCode, messageOf } from '../../base/errors.js';
import { sandboxSpec } from '../container-spec.js';
import type { PodAction } from '../pod-actions.js';
import type { PodScope } from '../pod-scope.js';
import { runtimeHandlerOf } from '../runtime-class.js';

const make = async (
  { node, pod }: PodScope,
  { attempt, address }: { readonly attempt: number; readonly address: string },
  signal: AbortSignal,
): Promise<void> => {
  const { pool, runtime, table } = node;
  const { subnet } = pool;
  if (subnet === undefined) throw new ClusterError('Invalid', 'the node has no pod CIDR yet');
  const runtimeHandler = await runtimeHandlerOf(node.cluster, pod(), signal);
  const place = { address, subnet: subnet.cidr, gateway: subnet.gateway, runtimeHandler };
  const created = await runtime.create(sandboxSpec(pod(), attempt, place), signal);
  table.put(created);
  try {
    table.put(await runtime.start(created.id, signal));
  } catch (error) {
    // Half a sandbox is worth nothing; when the engine is away the next list shows it.
    if (!signal.aborted && !hasCode(error, 'ServiceUnavailable')) {
      await runtime.remove(created.id, signal);
      table.remove(created.id);
    }
    throw error;
  }
};

export const createSandbox = async (
  scope: PodScope,
  { attempt }: Extract<PodAction, { type: 'createSandbox' }>,
  signal: AbortSignal,
): Promise<void> => {
  const { pool, table, clock } = scope.node;
  const address = pool.allocate(table.addresses());
  try {
    if (address === undefined)
      throw new ClusterError(
        'Invalid',
        `no address is left in the node's pod CIDR ${pool.subnet?.cidr ?? ''}: fewer pods, or a larger network, are the way out`,
      );
    await make(scope, { attempt, address }, signal);
    scope.update(({ sandboxFailure: _failure, ...memory }) => memory);
  } catch (error) {
    if (signal.aborted || hasCode(error, 'ServiceUnavailable')) throw error;
    scope.update((memory) => ({
      ...memory,
      sandboxFailure: {
        message: messageOf(error),
        at: clock.now(),
        failures: (memory.sandboxFailure?.failures ?? 0) + 1,
      },
    }));
  } finally {
    if (address !== undefined) pool.settle(address);
  }
};
