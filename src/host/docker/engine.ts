// The connection to one Docker engine, and its errors in the program's words.
import type Docker from 'dockerode';
import { isAbort } from '../../base/abort.js';
import { ClusterError, messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import { Gate } from './gate.js';
import { oomFloor } from './oom-floor.js';
import { ownLimits } from './own-limits.js';

/** Best measured: with more operations at once the engine gets slower. */
const width = 8;

export interface Engine {
  readonly docker: Docker;
  /** `unix:///var/run/docker.sock`. */
  readonly host: string;
  readonly instance: string;
  readonly node: string;
  /** Whose engine answers there; Docker's by default. */
  readonly flavor?: 'docker' | 'podman' | undefined;
  /** What makes the engine work hard (create, start, remove) passes here. */
  readonly gate: Gate;
  readonly log: Logger;
  /** Of files and processes: only for engines that do not heed the machine's own. */
  readonly ulimits?: Docker.HostConfig['Ulimits'];
  /** Scores below it (`oom_score_adj`) are not possible on this machine. */
  readonly oomFloor: number;
}

interface EngineFailure {
  readonly statusCode?: number;
  readonly reason?: string;
  readonly code?: string;
  readonly json?: { readonly message?: string } | null;
}

/** What the engine itself said, without the HTTP around it. */
export const engineMessage = (error: unknown): string => {
  const { json } = error as EngineFailure;
  return (json?.message ?? messageOf(error).replace(/^\(HTTP code \d+\) [^-]* - /, '')).trim();
};

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not open it',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ETIMEDOUT: 'it does not answer',
};

export const engineDown = (host: string, why: string, cause?: unknown): ClusterError =>
  new ClusterError(
    'ServiceUnavailable',
    `the container engine at ${host} cannot be reached: ${why}; start dockerd, or name another engine with --docker-host`,
    { cause },
  );

/** NotFound, Invalid, Conflict or ServiceUnavailable, in the engine's own words. An abort stays what it is. */
/** Podman answers every refusal with 500; what it says tells what it is. */
const conflicting = /already in use|has dependent containers|is already in progress|name .* is in use/;
const absent =
  /^no such (container|image|network)|no container with name or ID|image not known|network not found/i;

export const engineError = (host: string, error: unknown, signal?: AbortSignal): unknown => {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof ClusterError || isAbort(error)) return error;
  const { statusCode, code } = error as EngineFailure;
  const message = engineMessage(error);
  if (statusCode === undefined) return engineDown(host, unreachable[code ?? ''] ?? message, error);
  if (statusCode === 500 && absent.test(message))
    return new ClusterError('NotFound', message, { cause: error });
  if (statusCode === 500 && conflicting.test(message))
    return new ClusterError('Conflict', message, { cause: error });
  if (statusCode === 404) return new ClusterError('NotFound', message, { cause: error });
  if (statusCode === 409) return new ClusterError('Conflict', message, { cause: error });
  if (statusCode === 503) return engineDown(host, message, error);
  return new ClusterError('Invalid', message, { cause: error });
};

/** Runs one call; what it throws is translated. */
export const call = async <T>(engine: Engine, signal: AbortSignal, run: () => Promise<T>): Promise<T> => {
  signal.throwIfAborted();
  try {
    return await run();
  } catch (error) {
    throw engineError(engine.host, error, signal);
  }
};

/** `unix:///path` or `tcp://host:port`. Throws BadRequest for anything else. */
export const connectionOptions = (host: string): Docker.DockerOptions => {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  const match = /^tcp:\/\/([^/:]+):(\d+)\/?$/.exec(host);
  if (match !== null) return { host: match[1] ?? '', port: Number(match[2]), protocol: 'http' };
  throw new ClusterError(
    'BadRequest',
    `${host} is not an address of a container engine: write unix:///var/run/docker.sock or tcp://host:port`,
  );
};

/** The library is large: it is loaded when a real engine is used, and only then. */
export const connect = async (
  options: Omit<Engine, 'docker' | 'gate' | 'oomFloor' | 'ulimits'>,
): Promise<Engine> => {
  const { default: Dockerode } = await import('dockerode');
  return {
    ...options,
    docker: new Dockerode(connectionOptions(options.host)),
    gate: new Gate(width),
    oomFloor: await oomFloor(),
    ...(options.flavor === 'podman' ? { ulimits: await ownLimits() } : {}),
  };
};
