// The end of a pod: containers stop with their grace, then everything goes, then its object.
import { fromTimestamp } from '../../base/clock.js';
import type { PodAction } from '../pod-actions.js';
import { killOperation, removeOperation, startOperation, stopOperation } from '../pod-picture.js';
import type { ContainerPicture, PodPicture } from '../pod-picture.js';
import type { Part, StepPart } from './part.js';

/** Beyond the deletion's own time: then what still runs is killed, whatever waits for it. */
const overtimeMs = 2000;

const graceOf = ({ pod }: PodPicture): number =>
  pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;

const stop = (picture: PodPicture, { template, latest }: ContainerPicture): readonly PodAction[] =>
  latest?.state !== 'running'
    ? []
    : [
        {
          type: 'stopContainer',
          operation: stopOperation(latest.id),
          id: latest.id,
          container: template.name,
          graceSeconds: graceOf(picture),
          message: `Stopping container ${template.name}`,
          preStop: template.lifecycle?.preStop,
        },
      ];

const cancelStarts = ({ containers, observed }: PodPicture): readonly PodAction[] =>
  [...containers.map(({ template }) => startOperation(template.name)), 'sandbox', 'volumes']
    .filter((operation) => observed.inFlight.has(operation))
    .map((operation) => ({ type: 'cancel', operation: `cancel/${operation}`, cancels: operation }));

/** A later deletion may have shortened the grace of a stop that is under way. */
const overtime = (picture: PodPicture, running: readonly ContainerPicture[]): Part => {
  const { pod, now, deleting } = picture;
  const end = fromTimestamp(pod.metadata.deletionTimestamp);
  if (!deleting || end === undefined) return { actions: [] };
  const wakeAt = end + overtimeMs;
  if (now < wakeAt) return { actions: [], wakeAt };
  return {
    actions: running.flatMap(({ latest }): readonly PodAction[] =>
      latest === undefined ? [] : [{ type: 'kill', operation: killOperation(latest.id), id: latest.id }],
    ),
  };
};

/** Of a pod that is over but not deleted, ended containers stay for their logs. */
const removals = ({ observed, deleting, sandboxes }: PodPicture): readonly PodAction[] =>
  (deleting ? observed.containers : sandboxes).map(({ id }) => ({
    type: 'remove',
    operation: removeOperation(id),
    id,
  }));

export const terminationPart: StepPart = (picture): Part => {
  const { containers, observed, deleting, strays } = picture;
  const cancels = cancelStarts(picture);
  const starting = cancels.length > 0;
  const running = containers.filter((container) => container.running);
  const main = running.filter(({ role }) => role !== 'sidecar');
  const late = overtime(picture, running);
  if (running.length > 0) {
    // Sidecars outlive those they serve, and end in the reverse order of their starts.
    const first = main.length > 0 ? main : running.slice(-1);
    return {
      actions: [...cancels, ...first.flatMap((container) => stop(picture, container)), ...late.actions],
      because: deleting
        ? 'the pod is being deleted: its containers stop'
        : 'the pod is over: its containers stop',
      wakeAt: late.wakeAt,
    };
  }
  if (starting) return { actions: cancels, because: 'what is being started is given up' };
  const left = [
    ...removals(picture),
    ...strays.map(({ id }): PodAction => ({ type: 'remove', operation: removeOperation(id), id })),
  ];
  if (left.length > 0) return { actions: left, because: 'nothing runs any more: what is left is removed' };
  if (!deleting || observed.memory.finished === true) return { actions: [] };
  return {
    actions: [{ type: 'finish', operation: 'finish' }],
    because: 'nothing is left of the pod: its object goes',
  };
};
