// Runs a command in a container, or joins its own process: output as a stream, the exit code when the output has ended.
import type Docker from 'dockerode';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/errors.js';
import type { ExecOptions, ExecSession } from '../../node/runtime.js';
import { call, engineError } from './engine.js';
import type { Engine } from './engine.js';
import { demultiplex, plain } from './frames.js';

/** The engine may take a moment after the last output to note the exit code. */
const settleAttempts = 100;
const settleMs = 20;

/** Without `end` the stream stays open for what comes out of it. */
const feed = async (
  stream: Duplex,
  { input, end }: { readonly input: AsyncIterable<Uint8Array>; readonly end: boolean },
  signal: AbortSignal,
): Promise<void> => {
  for await (const chunk of input) {
    if (stream.destroyed) return;
    if (!stream.write(chunk)) await once(stream, 'drain', { signal });
  }
  if (end) stream.end();
};

const follow = async (
  terminal: { resize(size: { w: number; h: number }): Promise<unknown> },
  resizes: NonNullable<ExecOptions['resizes']>,
): Promise<void> => {
  for await (const { width, height } of resizes) await terminal.resize({ w: width, h: height });
};

const exitCodeOf = async (engine: Engine, exec: Docker.Exec, signal: AbortSignal): Promise<number> => {
  for (let attempt = 0; ; attempt += 1) {
    const state = await call(engine, signal, () => exec.inspect({ abortSignal: signal }));
    if (!state.Running && state.ExitCode !== null) return state.ExitCode;
    if (attempt >= settleAttempts) return state.ExitCode ?? -1;
    await sleep(settleMs, undefined, { signal });
  }
};

/** The engine lets a command run on when its caller goes; what nobody waits for is ended here. */
const kill = async (engine: Engine, exec: Docker.Exec): Promise<void> => {
  if (!engine.host.startsWith('unix://')) return;
  try {
    const { Running: running, Pid: pid } = await exec.inspect();
    if (running && pid > 0) process.kill(pid, 'SIGKILL');
  } catch (error) {
    engine.log.debug({ error: messageOf(error) }, 'a command that was given up cannot be ended');
  }
};

/** A process that somebody is joined to. */
interface Joined {
  readonly stream: Duplex;
  readonly terminal: Parameters<typeof follow>[0];
  readonly tty: boolean;
  /** The process sees the end of the input. */
  readonly endInput: boolean;
  exitCode(): Promise<number>;
  /** Nobody is joined to it any more. */
  left(): void;
}

const sessionOf = (
  engine: Engine,
  joined: Joined,
  { stdin, resizes }: ExecOptions,
  signal: AbortSignal,
): ExecSession => {
  const { stream, terminal, tty, endInput } = joined;
  let finished: (code: Promise<number>) => void = () => undefined;
  const exitCode = new Promise<number>((resolve) => {
    finished = resolve;
  });
  exitCode.catch(() => undefined);
  const giveUp = (): void => {
    stream.destroy(signal.reason as Error);
    joined.left();
  };
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  const background = (task: Promise<void>): void => {
    task.catch((error: unknown) => {
      engine.log.debug({ error: messageOf(error) }, 'the input of a command ended early');
    });
  };
  if (stdin !== undefined) background(feed(stream, { input: stdin, end: endInput }, signal));
  if (resizes !== undefined) background(follow(terminal, resizes));

  async function* output(): ExecSession['output'] extends AsyncIterable<infer T> ? AsyncGenerator<T> : never {
    try {
      yield* tty ? plain(stream) : demultiplex(stream);
      finished(joined.exitCode());
    } catch (error) {
      const translated = engineError(engine.host, error, signal);
      finished(Promise.reject(translated));
      throw translated;
    } finally {
      signal.removeEventListener('abort', giveUp);
      stream.destroy();
    }
  }
  return { output: output(), exitCode };
};

/** Of the container's own process; 0 while it still runs. */
const attach = async (
  engine: Engine,
  id: string,
  { stdin }: ExecOptions,
  signal: AbortSignal,
): Promise<Joined> => {
  const container = engine.docker.getContainer(id);
  const inspect = (): Promise<Docker.ContainerInspectInfo> =>
    call(engine, signal, () => container.inspect({ abortSignal: signal }));
  const { Config: config } = await inspect();
  const stream: unknown = await call(engine, signal, () =>
    container.attach({
      stream: true,
      hijack: true,
      stdin: stdin !== undefined,
      stdout: true,
      stderr: true,
      abortSignal: signal,
    }),
  );
  return {
    stream: stream as Duplex,
    terminal: container,
    tty: config.Tty,
    // The engine would end the output with the input of a container that can be attached to again.
    endInput: config.StdinOnce,
    exitCode: async () => (await inspect()).State.ExitCode,
    left: () => undefined,
  };
};

const execute = async (
  engine: Engine,
  id: string,
  { command, tty, stdin }: ExecOptions,
  signal: AbortSignal,
): Promise<Joined> => {
  const exec = await call(engine, signal, () =>
    engine.docker.getContainer(id).exec({
      Cmd: [...command],
      AttachStdout: true,
      AttachStderr: true,
      AttachStdin: stdin !== undefined,
      Tty: tty,
      abortSignal: signal,
    }),
  );
  const stream = await call(engine, signal, () =>
    exec.start({ hijack: true, stdin: stdin !== undefined, Tty: tty }),
  );
  return {
    stream,
    terminal: exec,
    tty,
    endInput: true,
    exitCode: () => exitCodeOf(engine, exec, signal),
    left: () => void kill(engine, exec),
  };
};

export const runExec = async (
  engine: Engine,
  { id, options }: { readonly id: string; readonly options: ExecOptions },
  signal: AbortSignal,
): Promise<ExecSession> => {
  const join = options.attach === true ? attach : execute;
  return sessionOf(engine, await join(engine, id, options, signal), options, signal);
};
