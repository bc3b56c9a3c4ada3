// capstan up
import { dataDirectory } from '../../process/data-directory.js';
import { toFlags } from '../../process/settings.js';
import { flagOption, type CliCommand } from '../command.js';
import { runDaemon } from '../daemon.js';
import { addSettings, settingsOf } from '../settings-options.js';

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
    return runDaemon(
      {
        args: ['up', ...toFlags(settings)],
        directory: dataDirectory(settings.dataDir),
        detach: flagOption(invocation, 'detach'),
        run: async (options) => {
          const { runUp } = await import('../../process/up.js');
          await runUp(settings, options);
        },
      },
      context,
    );
  },
};
