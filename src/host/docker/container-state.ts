// What the engine says of a container -> Container.
import type Docker from 'dockerode';
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { label } from '../../node/labels.js';
import type { Container } from '../../node/runtime.js';

/** The engine writes year 1 for never. */
const instant = (text: string | undefined): Instant | undefined => {
  const parsed = fromTimestamp(text);
  return parsed === undefined || parsed <= 0 ? undefined : parsed;
};

export const stateOf = (status: string): Container['state'] => {
  if (status === 'created') return 'created';
  return status === 'running' || status === 'paused' || status === 'restarting' ? 'running' : 'exited';
};

/** The engine takes the two times from different clocks: a program that ends at once seems to end before its start. */
const endOf = ({ State: state, Created: created }: Docker.ContainerInspectInfo): Instant => {
  const started = instant(state.StartedAt) ?? instant(created) ?? 0;
  return Math.max(started, instant(state.FinishedAt) ?? started);
};

export const containerOf = (inspected: Docker.ContainerInspectInfo): Container => {
  const { State: state, Config: config } = inspected;
  const startedAt = instant(state.StartedAt);
  // A container whose start failed stays `created` and carries the exit code and error of the attempt.
  const failedStart = state.Status === 'created' && (state.ExitCode !== 0 || state.Error !== '');
  const phase = failedStart ? 'exited' : stateOf(state.Status);
  const ended = phase === 'exited';
  return {
    id: inspected.Id,
    name: inspected.Name.replace(/^\//, ''),
    image: config.Labels[label.image] ?? config.Image,
    imageId: inspected.Image,
    labels: config.Labels,
    state: phase,
    createdAt: instant(inspected.Created) ?? 0,
    startedAt,
    finishedAt: ended ? endOf(inspected) : undefined,
    exitCode: ended ? state.ExitCode : undefined,
    oomKilled: ended ? state.OOMKilled : undefined,
    error: state.Error === '' ? undefined : state.Error,
  };
};
