// The end of a pod: containers stop with their grace, then everything goes, then its object.
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import type { Pod } from '../../resources/generated/types.js';
import { confirmedAnnotation } from '../../resources/proxy-revision.js';
import type { PodAction } from '../pod-actions.js';
import { killOperation, removeOperation, startOperation, stopOperation } from '../pod-picture.js';
import type { ContainerPicture, PodPicture } from '../pod-picture.js';
import type { Part, StepPart } from './part.js';

/** Beyond the deletion's own time: then what still runs is killed, whatever waits for it. */
const overtimeMs = 2000;

/** What is short cannot wait. */
const evictionGrace = 1;

const graceOf = ({ pod, observed }: PodPicture): number =>
  observed.memory.eviction !== undefined
    ? evictionGrace
    : (pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30);

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

/** Longer than a Lease lasts: then the proxies that are silent are dead, or nobody is there to say so. */
const longestWaitMs = 15_000;

const confirmedAt = ({ metadata }: Pod): Instant | undefined =>
  fromTimestamp(metadata.annotations?.[confirmedAnnotation]);

/** Until when a pod that is deleted still serves, because proxies may send to it; undefined when none does. */
const servesUntil = (picture: PodPicture): Instant | undefined => {
  const { pod, deleting, now, observed } = picture;
  const end = fromTimestamp(pod.metadata.deletionTimestamp);
  const grace = graceOf(picture);
  if (observed.node.waitsForProxies !== true || observed.memory.finished === true) return undefined;
  if (!deleting || end === undefined || grace <= 0 || confirmedAt(pod) !== undefined) return undefined;
  const until = end - grace * 1000 + longestWaitMs;
  return now < until ? until : undefined;
};

/** A later deletion may have shortened the grace of a stop that is under way. */
const overtime = (picture: PodPicture, running: readonly ContainerPicture[]): Part => {
  const { pod, now, deleting } = picture;
  const end = fromTimestamp(pod.metadata.deletionTimestamp);
  if (!deleting || end === undefined) return { actions: [] };
  // The grace begins when nobody sends anything any more.
  const begin = servesUntil(picture) ?? confirmedAt(pod);
  const wakeAt = Math.max(end, begin === undefined ? end : begin + graceOf(picture) * 1000) + overtimeMs;
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
  const until = servesUntil(picture);
  if (until !== undefined && running.length > 0)
    return {
      actions: cancels,
      because: 'the pod is being deleted: its containers serve until every proxy has taken it out',
      wakeAt: until,
    };
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
