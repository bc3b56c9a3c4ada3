// capstan up
import { readPid, reportStart, startDetached, type StartReport } from '../../host/detached.js';
import { messageOf } from '../../base/errors.js';
import { isAbort } from '../../base/abort.js';
import { dataDirectory } from '../../process/data-directory.js';
import { toFlags, type Settings } from '../../process/settings.js';
import { flagOption, type CliCommand, type CliContext, type ExitCode } from '../command.js';
import { addSettings, settingsOf } from '../settings-options.js';

const startTimeoutMs = 90_000;

const detach = async (settings: Settings, { output }: CliContext): Promise<ExitCode> => {
  const directory = dataDirectory(settings.dataDir);
  const running = readPid(directory.pid);
  if (running !== undefined) {
    output.line(`Capstan runs already (process ${running}, data in ${directory.root}).`);
    return 0;
  }
  const report = await startDetached({
    args: ['up', ...toFlags(settings)],
    outputFile: directory.output,
    timeoutMs: startTimeoutMs,
  });
  if (!report.ready) {
    output.note(`error: ${report.message}`);
    return 1;
  }
  for (const line of report.lines) output.line(line);
  return 0;
};

const foreground = async (settings: Settings, { output, signal }: CliContext): Promise<ExitCode> => {
  const { runUp } = await import('../../process/up.js');
  try {
    await runUp(settings, {
      ready: (lines) => {
        const report: StartReport = { ready: true, lines };
        reportStart(report);
        for (const line of lines) output.line(line);
      },
      signal,
    });
    return 0;
  } catch (error) {
    if (isAbort(error, signal)) return 0;
    reportStart({ ready: false, message: messageOf(error) });
    throw error;
  }
};

export const command: CliCommand = {
  name: 'up',
  summary: 'Run a whole cluster on this machine: master, node agent and Git loop in one process.',
  example: 'capstan up --detach\ncapstan up --runtime hollow --hollow-nodes 100 --data-dir /tmp/plan',
  options: (program) => {
    addSettings(program);
    program.option('--detach', 'run in the background; return when the API server answers');
  },
  run: async (invocation, context) => {
    const settings = await settingsOf(invocation, context);
    return flagOption(invocation, 'detach') ? detach(settings, context) : foreground(settings, context);
  },
};
