// A command that is a daemon: in the foreground, or detached with a report of how its start went.
import { isAbort } from '../base/abort.js';
import { messageOf } from '../base/errors.js';
import { readPid, reportStart, startDetached } from '../host/detached.js';
import type { DataDirectory } from '../process/data-directory.js';
import type { CliContext, ExitCode } from './command.js';

export interface RunOptions {
  /** Called once, with lines for people, when the daemon does its work. */
  ready(lines: readonly string[]): void;
  readonly signal: AbortSignal;
}

export interface Daemon {
  /** Command line of the daemon in the foreground. */
  readonly args: readonly string[];
  readonly directory: DataDirectory;
  readonly detach: boolean;
  run(options: RunOptions): Promise<void>;
}

const startTimeoutMs = 90_000;

const detached = async ({ args, directory }: Daemon, { output }: CliContext): Promise<ExitCode> => {
  const running = readPid(directory.pid);
  if (running !== undefined) {
    output.line(`Capstan runs already (process ${running}, data in ${directory.root}).`);
    return 0;
  }
  const report = await startDetached({ args, outputFile: directory.output, timeoutMs: startTimeoutMs });
  if (!report.ready) {
    output.note(`error: ${report.message}`);
    return 1;
  }
  for (const line of report.lines) output.line(line);
  return 0;
};

export const runDaemon = async (daemon: Daemon, context: CliContext): Promise<ExitCode> => {
  if (daemon.detach) return detached(daemon, context);
  const { output, signal } = context;
  try {
    await daemon.run({
      ready: (lines) => {
        reportStart({ ready: true, lines });
        for (const line of lines) output.line(line);
      },
      signal,
    });
    return 0;
  } catch (error) {
    if (isAbort(error, signal)) return 0;
    reportStart({ ready: false, message: messageOf(error) });
    output.note(`error: ${messageOf(error)}`);
    return 1;
  }
};
