// What annotations on a pod ask of its simulated containers.
//
//   hollow.capstan.dev/start-delay: 2s      time between the start and running
//   hollow.capstan.dev/pull-delay: 5s       time that fetching the image takes
//   hollow.capstan.dev/ready-after: 3s      probes fail until then
//   hollow.capstan.dev/unready-after: 60s   probes fail from then on
//   hollow.capstan.dev/crash-after: 30s     the container ends by itself then
//   hollow.capstan.dev/exit-code: "1"       with this code (137 and OOMKilled with oom)
//   hollow.capstan.dev/oom: "true"
//   hollow.capstan.dev/stop-delay: 2s       time between SIGTERM and the end
//   hollow.capstan.dev/image-missing: "true"
//   hollow.capstan.dev/cpu: 250m            what it consumes
//   hollow.capstan.dev/memory: 64Mi
//   hollow.capstan.dev/log: "a line"        what it writes when it starts
//
// `…/crash-after.NAME` speaks of the container NAME only.
import { ClusterError } from '../../base/errors.js';
import { milliValue, wholeValue } from '../../resources/quantity.js';

export const prefix = 'hollow.capstan.dev/';

export interface Behaviour {
  readonly startDelayMs: number;
  readonly pullDelayMs: number;
  readonly readyAfterMs: number;
  readonly unreadyAfterMs: number | undefined;
  readonly crashAfterMs: number | undefined;
  readonly exitCode: number;
  readonly oom: boolean;
  readonly stopDelayMs: number;
  readonly imageMissing: boolean;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly log: string | undefined;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Go's durations: `1m30s`, `250ms`. Undefined for anything else. */
export const parseDuration = (text: string): number | undefined => {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount = '0', , unit = 's'] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (units[unit] ?? 0);
  return total;
};

/** Throws Invalid for a value that does not read. */
export const behaviourOf = (
  annotations: Readonly<Record<string, string>> | undefined,
  container: string,
): Behaviour => {
  const text = (name: string): string | undefined =>
    annotations?.[`${prefix}${name}.${container}`] ?? annotations?.[`${prefix}${name}`];
  const duration = (name: string): number | undefined => {
    const given = text(name);
    if (given === undefined) return undefined;
    const parsed = parseDuration(given);
    if (parsed === undefined)
      throw new ClusterError('Invalid', `annotation ${prefix}${name}: ${given} is not a duration such as 2s`);
    return parsed;
  };
  const oom = text('oom') === 'true';
  const exitCode = Number(text('exit-code') ?? (oom ? 137 : 1));
  if (!Number.isInteger(exitCode) || exitCode < 0 || exitCode > 255)
    throw new ClusterError('Invalid', `annotation ${prefix}exit-code is not a number from 0 to 255`);
  return {
    startDelayMs: duration('start-delay') ?? 0,
    pullDelayMs: duration('pull-delay') ?? 0,
    readyAfterMs: duration('ready-after') ?? 0,
    unreadyAfterMs: duration('unready-after'),
    crashAfterMs: duration('crash-after'),
    exitCode,
    oom,
    stopDelayMs: duration('stop-delay') ?? 0,
    imageMissing: text('image-missing') === 'true',
    cpuMillis: milliValue(text('cpu') ?? '0'),
    memoryBytes: wholeValue(text('memory') ?? '0'),
    log: text('log'),
  };
};
