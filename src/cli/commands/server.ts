// capstan server
import { dataDirectory } from '../../process/data-directory.js';
import { toFlags } from '../../process/settings.js';
import { flagOption, type CliCommand } from '../command.js';
import { runDaemon } from '../daemon.js';
import { addSettings, settingsOf } from '../settings-options.js';

export const command: CliCommand = {
  name: 'server',
  summary: 'Run the master of a cluster alone: API server, controllers, scheduler and Git loop, no node.',
  example: 'capstan server --detach\ncapstan server --config /etc/capstan/config.yaml',
  options: (program) => {
    addSettings(program);
    program.option('--detach', 'run in the background; return when the API server answers');
  },
  run: async (invocation, context) => {
    const settings = await settingsOf(invocation, context);
    return runDaemon(
      {
        args: ['server', ...toFlags(settings)],
        directory: dataDirectory(settings.dataDir),
        detach: flagOption(invocation, 'detach'),
        run: async (options) => {
          const { runServer } = await import('../../process/server.js');
          await runServer(settings, options);
        },
      },
      context,
    );
  },
};
