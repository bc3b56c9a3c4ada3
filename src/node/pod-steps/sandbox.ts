// The sandbox: one for each pod with a network of its own; when it dies, what ran in it has no network any more.
import { backOffMs } from '../back-off.js';
import { attemptOf, containerNameOf } from '../labels.js';
import type { PodAction } from '../pod-actions.js';
import { removeOperation, stopOperation } from '../pod-picture.js';
import type { PodPicture } from '../pod-picture.js';
import type { Part, StepPart } from './part.js';

/** By the restart policy, everything has run: a dead sandbox needs no successor. */
export const nothingLeftToRun = ({ containers, pod }: PodPicture): boolean => {
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Always') return false;
  const failedInit = containers.some(
    ({ role, latest }) =>
      role === 'init' && policy === 'Never' && latest?.state === 'exited' && latest.exitCode !== 0,
  );
  return (
    failedInit ||
    containers.every(
      ({ role, latest }) =>
        role !== 'main' || (latest?.state === 'exited' && (policy === 'Never' || latest.exitCode === 0)),
    )
  );
};

const stopWhatRuns = ({ containers }: PodPicture): readonly PodAction[] =>
  containers.flatMap(({ latest, running }): readonly PodAction[] =>
    latest === undefined || !running
      ? []
      : [
          {
            type: 'stopContainer',
            operation: stopOperation(latest.id),
            id: latest.id,
            container: containerNameOf(latest),
            graceSeconds: 0,
            message: 'Pod sandbox changed, it will be killed and re-created.',
          },
        ],
  );

export const sandboxPart: StepPart = (picture): Part => {
  const { hostNetwork, sandbox, sandboxes, observed, now } = picture;
  if (hostNetwork || sandbox !== undefined || nothingLeftToRun(picture)) return { actions: [] };
  if (observed.inFlight.has('sandbox')) return { actions: [], because: 'the sandbox is being made' };
  const stops = stopWhatRuns(picture);
  if (stops.length > 0)
    return { actions: stops, because: 'the sandbox is gone: its containers have no network' };
  const newest = sandboxes[0];
  // Made before a restart of the agent, and never started: it may have half a network.
  if (newest?.state === 'created')
    return {
      actions: [{ type: 'remove', operation: removeOperation(newest.id), id: newest.id }],
      because: 'a sandbox that never started is removed',
    };
  if (!observed.node.networkReady)
    return { actions: [], because: 'the node has no pod CIDR yet: its Node object lacks spec.podCIDR' };
  const { sandboxFailure } = observed.memory;
  if (sandboxFailure !== undefined) {
    const wakeAt = sandboxFailure.at + backOffMs(sandboxFailure.failures) / 10;
    const message = `Failed to create pod sandbox: ${sandboxFailure.message}`;
    if (now < wakeAt)
      return {
        actions: [],
        because: message,
        wakeAt,
        announcements: [{ id: message, type: 'Warning', reason: 'FailedCreatePodSandBox', message }],
      };
  }
  return {
    actions: [
      {
        type: 'createSandbox',
        operation: 'sandbox',
        attempt: newest === undefined ? 0 : attemptOf(newest) + 1,
      },
    ],
    because: newest === undefined ? 'the pod needs a sandbox' : 'the sandbox has died: another one is made',
    announcements:
      newest === undefined
        ? []
        : [
            {
              id: `sandbox ${newest.id}`,
              type: 'Normal',
              reason: 'SandboxChanged',
              message: 'Pod sandbox changed, it will be killed and re-created.',
            },
          ],
  };
};
