// Which containers start, wait or stop: init containers in order, then the others together; restarts by policy.
import type { Instant } from '../../base/clock.js';
import { crashesBefore, formatDuration, restartAt, restartDelayMs } from '../back-off.js';
import { retryAt } from '../failures.js';
import { containerStatusOf } from '../../resources/pod-status.js';
import { attemptOf, label } from '../labels.js';
import type { Announcement, PodAction } from '../pod-actions.js';
import { hasStarted, removeOperation, startOperation, stopOperation } from '../pod-picture.js';
import type { ContainerPicture, PodPicture } from '../pod-picture.js';
import { mergeParts } from './part.js';
import type { Part, StepPart } from './part.js';
import { nothingLeftToRun } from './sandbox.js';

const idle: Part = { actions: [] };

const waiting = (because: string, wakeAt?: Instant, announcement?: Announcement): Part => ({
  actions: [],
  because,
  wakeAt,
  announcements: announcement === undefined ? [] : [announcement],
});

const podName = ({ pod }: PodPicture): string =>
  `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})`;

/** Why a running container must stop; undefined when it may go on. */
const stopReason = (
  container: ContainerPicture,
): { message: string; probe?: 'startup' | 'liveness' } | undefined => {
  const { template, latest, specHash, memory, current } = container;
  if (latest === undefined) return undefined;
  const { name } = template;
  if (!current) return { message: 'Pod sandbox changed, it will be killed and re-created.' };
  if (latest.labels[label.specHash] !== specHash)
    return { message: `Container ${name} definition changed, will be restarted` };
  for (const probe of ['startup', 'liveness'] as const)
    if (memory.probes[probe]?.containerId === latest.id && memory.probes[probe].result === false)
      return { message: `Container ${name} failed ${probe} probe, will be restarted`, probe };
  return undefined;
};

const stop = (picture: PodPicture, container: ContainerPicture): Part => {
  const { template, latest } = container;
  const reason = stopReason(container);
  if (latest === undefined || reason === undefined) return idle;
  const own = reason.probe && template[`${reason.probe}Probe`]?.terminationGracePeriodSeconds;
  return {
    actions: [
      {
        type: 'stopContainer',
        operation: stopOperation(latest.id),
        id: latest.id,
        container: template.name,
        graceSeconds: own ?? picture.pod.spec.terminationGracePeriodSeconds ?? 30,
        message: reason.message,
        preStop: template.lifecycle?.preStop,
      },
    ],
    because: reason.message,
  };
};

/** By the restart policy; an init container that succeeded never runs again in the same sandbox. */
const mayRun = ({ pod }: PodPicture, { role, latest, current, template }: ContainerPicture): boolean => {
  // Once, whatever became of it.
  if (role === 'ephemeral')
    return latest === undefined && containerStatusOf(pod, template.name)?.containerID === undefined;
  if (latest === undefined || role === 'sidecar') return true;
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (role === 'init') {
    if (!current) return true;
    return latest.exitCode !== 0 && policy !== 'Never';
  }
  if (policy === 'Always') return true;
  return policy === 'OnFailure' && (latest.exitCode !== 0 || latest.error !== undefined);
};

/** A container that someone removed counts as one attempt more than the status shows. */
const nextAttempt = ({ pod }: PodPicture, { latest, template }: ContainerPicture): number => {
  if (latest !== undefined) return attemptOf(latest) + 1;
  const known = containerStatusOf(pod, template.name);
  return known?.containerID === undefined || known.containerID === '' ? 0 : known.restartCount + 1;
};

const crashBackOff = (picture: PodPicture, { template, latest }: ContainerPicture): Part | undefined => {
  if (latest === undefined) return undefined;
  const wakeAt = restartAt(latest);
  if (picture.now >= wakeAt) return undefined;
  const { name } = template;
  const message = `Back-off restarting failed container ${name} in pod ${podName(picture)}`;
  return waiting(
    `container ${name} waits ${formatDuration(restartDelayMs(latest))} after its end before it is started again`,
    wakeAt,
    { id: `${message} ${latest.id}`, type: 'Warning', reason: 'BackOff', message },
  );
};

const failureBackOff = (
  picture: PodPicture,
  { template, memory, specHash }: ContainerPicture,
): Part | undefined => {
  const { failure } = memory;
  if (failure?.specHash !== specHash) return undefined;
  const wakeAt = retryAt(failure);
  if (picture.now >= wakeAt) return undefined;
  const { image = '' } = template;
  return waiting(
    failure.message,
    wakeAt,
    failure.reason === 'ErrImagePull'
      ? {
          id: `back-off ${image} ${failure.failures}`,
          type: 'Normal',
          reason: 'BackOff',
          message: `Back-off pulling image "${image}"`,
        }
      : undefined,
  );
};

const start = (picture: PodPicture, container: ContainerPicture): Part => {
  const { template, latest, specHash } = container;
  const { sandbox, hostNetwork, observed } = picture;
  if (!hostNetwork && sandbox === undefined) return idle;
  if (observed.memory.volumes.version === undefined) return idle;
  const delayed = crashBackOff(picture, container) ?? failureBackOff(picture, container);
  if (delayed !== undefined) return delayed;
  const environment = observed.environment(template, undefined);
  if (environment.type === 'unknown') return waiting('waiting for config maps and secrets');
  if (environment.type === 'missing')
    return waiting(environment.message, undefined, {
      id: `${template.name} ${environment.message}`,
      type: 'Warning',
      reason: 'Failed',
      message: `Error: ${environment.message}`,
    });
  return {
    actions: [
      {
        type: 'startContainer',
        operation: startOperation(template.name),
        container: template,
        attempt: nextAttempt(picture, container),
        crashes: latest === undefined ? 0 : crashesBefore(latest) + 1,
        sandbox,
        specHash,
      },
    ],
    because:
      latest === undefined
        ? `container ${template.name} has not run yet`
        : `container ${template.name} has ended and is started again`,
  };
};

const decide = (picture: PodPicture, container: ContainerPicture): Part => {
  const { latest, starting, running } = container;
  if (starting) return waiting(`container ${container.template.name} is being started`);
  if (running) return stop(picture, container);
  // Made before a restart of the agent, and never started.
  if (latest?.state === 'created')
    return {
      actions: [{ type: 'remove', operation: removeOperation(latest.id), id: latest.id }],
      because: `container ${container.template.name} was made and never started`,
    };
  return mayRun(picture, container) ? start(picture, container) : idle;
};

const isDone = (picture: PodPicture, container: ContainerPicture): boolean => {
  const { role, current, latest } = container;
  if (role === 'sidecar') return hasStarted(container, picture.pod);
  return current && latest?.state === 'exited' && latest.exitCode === 0 && latest.error === undefined;
};

/** Init containers one after the other; sidecars that were passed are looked after beside them. */
const initialize = (picture: PodPicture): Part => {
  const parts: Part[] = [];
  for (const container of picture.containers) {
    if (container.role === 'main' || container.role === 'ephemeral') break;
    const done = isDone(picture, container);
    if (!done || container.role === 'sidecar') parts.push(decide(picture, container));
    if (!done) break;
  }
  return mergeParts(parts);
};

/** Those that they served have ended: sidecars end in the reverse order of their starts, one after the other. */
const lastSidecar = (picture: PodPicture): Part => {
  const { pod, containers } = picture;
  if (containers.some(({ role, running, starting }) => role === 'main' && (running || starting))) return idle;
  const last = containers.findLast(({ role, running }) => role === 'sidecar' && running);
  if (last?.latest === undefined) return idle;
  return {
    actions: [
      {
        type: 'stopContainer',
        operation: stopOperation(last.latest.id),
        id: last.latest.id,
        container: last.template.name,
        graceSeconds: pod.spec.terminationGracePeriodSeconds ?? 30,
        message: `Stopping container ${last.template.name}`,
        preStop: last.template.lifecycle?.preStop,
      },
    ],
    because: 'everything has run: the sidecars stop',
  };
};

export const containersPart: StepPart = (picture): Part => {
  const strays = picture.strays.map((container): PodAction => ({
    type: 'remove',
    operation: removeOperation(container.id),
    id: container.id,
  }));
  // A container of the sandbox before this one ends first, whatever its place.
  const stale = picture.containers.filter(
    ({ running, current, starting }) => running && !current && !starting,
  );
  if (stale.length > 0)
    return mergeParts([{ actions: strays }, ...stale.map((container) => stop(picture, container))]);
  // For debugging: they start whatever the others wait for.
  const ephemeral = picture.containers.filter(({ role }) => role === 'ephemeral');
  const apart: Part[] = [{ actions: strays }, ...ephemeral.map((container) => decide(picture, container))];
  if (!picture.initialized) return mergeParts([...apart, initialize(picture)]);
  if (nothingLeftToRun(picture)) return mergeParts([...apart, lastSidecar(picture)]);
  const lasting = picture.containers.filter(({ role }) => role === 'main' || role === 'sidecar');
  return mergeParts([...apart, ...lasting.map((container) => decide(picture, container))]);
};
