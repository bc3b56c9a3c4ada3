// Which probes are due. Results only count in containers.ts (liveness, startup) and in the status (readiness).
import type { Instant } from '../../base/clock.js';
import type { Probe } from '../../resources/generated/types.js';
import type { PodAction } from '../pod-actions.js';
import type { ProbeKind, ProbeMemory } from '../pod-memory.js';
import { hasStarted, probeOperation, stopOperation } from '../pod-picture.js';
import type { ContainerPicture, PodPicture } from '../pod-picture.js';
import { mergeParts } from './part.js';
import type { Part, StepPart } from './part.js';

const kinds = ['startup', 'liveness', 'readiness'] as const;

export const probeOf = (
  { template }: Pick<ContainerPicture, 'template'>,
  kind: ProbeKind,
): Probe | undefined => template[`${kind}Probe`];

const periodMs = ({ periodSeconds = 10 }: Probe): number => periodSeconds * 1000;

const firstEagerMs = 25;

/**
 * Until a container is up, what only waits for that is asked sooner than its period says, at growing distances: a pod
 * is ready when it is, not at its next period. Such extra failures never count.
 */
const isEager = (kind: ProbeKind, probe: Probe, memory: ProbeMemory): boolean =>
  kind !== 'liveness' && memory.result !== true && memory.successes === 0 && probe.exec === undefined;

const nextAt = (kind: ProbeKind, probe: Probe, memory: ProbeMemory): Instant => {
  const period = periodMs(probe);
  const regular = (memory.countedAt ?? memory.lastAt) + period;
  if (!isEager(kind, probe, memory)) return memory.lastAt + period;
  return Math.min(regular, memory.lastAt + firstEagerMs * 2 ** Math.min(memory.attempts, 10));
};

/** What the memory becomes when a probe that began at `at` has been answered. */
export const recordProbe = (
  probe: Probe,
  previous: ProbeMemory | undefined,
  answer: {
    readonly kind: ProbeKind;
    readonly containerId: string;
    readonly at: Instant;
    readonly success: boolean;
  },
): ProbeMemory => {
  const { kind, containerId, at, success } = answer;
  const before: ProbeMemory =
    previous?.containerId === containerId
      ? previous
      : { containerId, lastAt: at, attempts: 0, successes: 0, failures: 0 };
  const base = { ...before, lastAt: at, attempts: before.attempts + 1 };
  if (success) {
    const successes = before.successes + 1;
    const result = successes >= (probe.successThreshold ?? 1) ? true : before.result;
    return { ...base, countedAt: at, successes, failures: 0, result };
  }
  const extra =
    isEager(kind, probe, before) && before.countedAt !== undefined && at - before.countedAt < periodMs(probe);
  if (extra) return base;
  const failures = before.failures + 1;
  const result = failures >= (probe.failureThreshold ?? 3) ? false : before.result;
  return { ...base, countedAt: at, successes: 0, failures, result };
};

const due = (picture: PodPicture, container: ContainerPicture, kind: ProbeKind): Part => {
  const { latest, memory, template } = container;
  const probe = probeOf(container, kind);
  if (probe === undefined || latest === undefined) return { actions: [] };
  const operation = probeOperation(template.name, kind);
  if (picture.observed.inFlight.has(operation)) return { actions: [] };
  const known = memory.probes[kind];
  const wakeAt =
    known?.containerId === latest.id
      ? nextAt(kind, probe, known)
      : (latest.startedAt ?? 0) + (probe.initialDelaySeconds ?? 0) * 1000;
  if (picture.now < wakeAt) return { actions: [], wakeAt };
  const action: PodAction = { type: 'probe', operation, kind, container: template, id: latest.id };
  return { actions: [action] };
};

const isProbed = ({ observed }: PodPicture, { latest, running, role, starting }: ContainerPicture): boolean =>
  running &&
  !starting &&
  (role === 'main' || role === 'sidecar') &&
  latest !== undefined &&
  !observed.inFlight.has(stopOperation(latest.id));

export const probesPart: StepPart = (picture): Part => {
  const parts = picture.containers
    .filter((container) => isProbed(picture, container))
    .flatMap((container) => {
      // The others wait until the startup probe has succeeded; then it has done its work.
      const started = hasStarted(container, picture.pod);
      return kinds
        .filter((kind) => (kind === 'startup') !== started)
        .map((kind) => due(picture, container, kind));
    });
  return mergeParts(parts);
};
