// Containers whose pod nobody knows any more: they stop with the grace that they carry, then they go.
import { graceOf } from './labels.js';
import { killOperation, removeOperation, stopOperation } from './pod-picture.js';
import type { PodAction } from './pod-actions.js';
import type { Container } from './runtime.js';
import { containerNameOf, kindOf } from './labels.js';

const defaultGrace = 30;

export const orphanStep = (
  containers: readonly Container[],
  inFlight: ReadonlySet<string>,
): readonly PodAction[] => {
  const running = containers.filter(
    (container) => container.state === 'running' && kindOf(container) === 'container',
  );
  const actions = (running.length > 0 ? running : containers).map((container): PodAction =>
    running.length > 0
      ? {
          type: 'stopContainer',
          operation: stopOperation(container.id),
          id: container.id,
          container: containerNameOf(container),
          graceSeconds: graceOf(container) ?? defaultGrace,
          message: `Stopping container ${containerNameOf(container)}`,
        }
      : { type: 'remove', operation: removeOperation(container.id), id: container.id },
  );
  return actions.filter(
    ({ operation, ...action }) =>
      !inFlight.has(operation) && !('id' in action && inFlight.has(killOperation(action.id))),
  );
};
