// A daemon of this same program that outlives the command which started it.
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What the daemon tells the command that started it, once. */
export type StartReport =
  | { readonly ready: true; readonly lines: readonly string[] }
  | { readonly ready: false; readonly message: string };

export interface DetachedOptions {
  readonly args: readonly string[];
  /** Receives what the daemon prints besides its log. */
  readonly outputFile: string;
  readonly timeoutMs: number;
}

/** Starts `capstan ARGS` in a session of its own and waits for its report. */
export const startDetached = ({ args, outputFile, timeoutMs }: DetachedOptions): Promise<StartReport> =>
  new Promise((resolve) => {
    mkdirSync(dirname(outputFile), { recursive: true });
    const output = openSync(outputFile, 'a');
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args], {
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    const finish = (report: StartReport): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      if (child.connected) child.disconnect();
      child.unref();
      resolve(report);
    };
    const timer = setTimeout(
      () => finish({ ready: false, message: `not ready after ${timeoutMs / 1000} s; see ${outputFile}` }),
      timeoutMs,
    );
    child.once('message', (report) => finish(report as StartReport));
    child.once('error', (error) => finish({ ready: false, message: error.message }));
    child.once('exit', (code, signal) =>
      finish({ ready: false, message: `the daemon ended (${signal ?? String(code)}); see ${outputFile}` }),
    );
  });

/** Called in the daemon: tells the waiting command, if there is one. */
export const reportStart = (report: StartReport): void => {
  if (process.send === undefined) return;
  process.send(report, undefined, undefined, () => {
    if (process.connected) process.disconnect();
  });
};

/** Process id in a pid file whose process is this program and alive; undefined otherwise. */
export const readPid = (file: string): number | undefined => {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    process.kill(pid, 0);
    // A recycled pid belongs to some other program: its command line says so.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .some((part) => /^(up|server|agent)$/.test(part))
      ? pid
      : undefined;
  } catch {
    return undefined; // no file, no such process: not running
  }
};

export const writePid = (file: string): void => writeFileSync(file, `${process.pid}\n`);

export const removePid = (file: string): void => rmSync(file, { force: true });

/** Sends SIGTERM, waits, then SIGKILL; resolves true when the process is gone. */
export const stopProcess = async (pid: number, timeoutMs: number): Promise<boolean> => {
  const gone = (): boolean => {
    try {
      process.kill(pid, 0);
      return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
    } catch {
      return true; // ESRCH
    }
  };
  const wait = async (ms: number): Promise<boolean> => {
    for (let waited = 0; waited < ms; waited += 50) {
      if (gone()) return true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return gone();
  };
  if (gone()) return true;
  process.kill(pid, 'SIGTERM');
  if (await wait(timeoutMs)) return true;
  process.kill(pid, 'SIGKILL');
  return wait(5000);
};

/** How this very program is called: by Git's hooks. */
export const programOf = (): { readonly node: string; readonly script: string } => ({
  node: process.execPath,
  script: process.argv[1] ?? '',
});
