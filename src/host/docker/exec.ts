// Runs a command in a container: its output as a stream, its exit code when the output has ended.
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

const feed = async (stream: Duplex, input: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> => {
  for await (const chunk of input) {
    if (stream.destroyed) return;
    if (!stream.write(chunk)) await once(stream, 'drain', { signal });
  }
  stream.end();
};

const follow = async (exec: Docker.Exec, resizes: NonNullable<ExecOptions['resizes']>): Promise<void> => {
  for await (const { width, height } of resizes) await exec.resize({ w: width, h: height });
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

export const runExec = async (
  engine: Engine,
  { id, options }: { readonly id: string; readonly options: ExecOptions },
  signal: AbortSignal,
): Promise<ExecSession> => {
  const { command, tty, stdin, resizes } = options;
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
  let finished: (code: Promise<number>) => void = () => undefined;
  const exitCode = new Promise<number>((resolve) => {
    finished = resolve;
  });
  exitCode.catch(() => undefined);
  const giveUp = (): void => {
    stream.destroy(signal.reason as Error);
    void kill(engine, exec);
  };
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  const background = (task: Promise<void>): void => {
    task.catch((error: unknown) => {
      engine.log.debug({ error: messageOf(error) }, 'the input of a command ended early');
    });
  };
  if (stdin !== undefined) background(feed(stream, stdin, signal));
  if (resizes !== undefined) background(follow(exec, resizes));

  async function* output(): ExecSession['output'] extends AsyncIterable<infer T> ? AsyncGenerator<T> : never {
    try {
      yield* tty ? plain(stream) : demultiplex(stream);
      finished(exitCodeOf(engine, exec, signal));
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
