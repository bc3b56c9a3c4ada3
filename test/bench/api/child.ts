// A process of its own for each server and for the load: started by `startChild`, asked by messages, ended by its parent.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { KeyPair } from '../../../src/pki/certificate.js';

export interface ServerOptions {
  readonly dataDir: string;
  readonly ca: string;
  readonly server: KeyPair;
}

interface Served {
  readonly port: number;
  close(): Promise<void>;
}

export interface Child {
  readonly pid: number;
  ask<T>(question: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** `module` is a compiled file in `folder`; CAPSTAN_BENCH_PROFILE=DIR writes CPU profiles of each into a folder there. */
export const startChild = (folder: string, module: string): Child => {
  const profile = process.env['CAPSTAN_BENCH_PROFILE'];
  const child: ChildProcess = fork(join(folder, `${module}.js`), {
    execArgv: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, module)}`],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const gone = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`${module} ended (${signal ?? String(code)})`)));
    child.once('error', reject);
  });
  gone.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ask: <T>(question: unknown) =>
      Promise.race([
        gone,
        new Promise<T>((resolve, reject) => {
          child.once('message', (message: { readonly answer?: T; readonly error?: string }) => {
            if (message.error === undefined) resolve(message.answer as T);
            else reject(new Error(message.error));
          });
          child.send(question as never);
        }),
      ]),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
};

const answering = <Question>(answer: (question: Question) => Promise<unknown>): void => {
  process.on('message', (question) => {
    answer(question as Question).then(
      (result) => process.send?.({ answer: result }),
      (error: unknown) =>
        process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
};

/** For the load: each message is a question. */
export const serveQuestions = answering;

export interface Memory {
  /** Bytes. */
  readonly resident: number;
  readonly heap: number;
  /** Milliseconds of CPU since the start. */
  readonly cpu: number;
}

/** For a server: the first message are its options, answered with its port; the others ask for its memory. */
export const serveChild = (start: (options: ServerOptions) => Promise<Served>): Promise<void> => {
  let served: Served | undefined;
  answering(async (question: ServerOptions | 'memory') => {
    if (question === 'memory') {
      const { rss, heapUsed } = process.memoryUsage();
      const { user, system } = process.cpuUsage();
      return { resident: rss, heap: heapUsed, cpu: (user + system) / 1000 } satisfies Memory;
    }
    served = await start(question);
    return served.port;
  });
  process.once('disconnect', () => {
    void (served?.close() ?? Promise.resolve()).then(() => process.exit(0));
  });
  return Promise.resolve();
};
