// capstan reset
import { removeTree } from '../../host/files.js';
import { ask } from '../../host/terminal.js';
import { dataDirectory } from '../../process/data-directory.js';
import { flagOption, UsageError, type CliCommand } from '../command.js';
import { addSettings, settingsOf } from '../settings-options.js';
import { stopEverything } from './down.js';

export const command: CliCommand = {
  name: 'reset',
  summary: 'Stop everything and remove every trace: data, containers, networks, rules.',
  example: 'capstan reset --yes',
  options: (program) => {
    addSettings(program, ['dataDir', 'dockerHost']);
    program.option('--yes', 'do not ask');
  },
  run: async (invocation, context) => {
    const { output, signal } = context;
    const settings = await settingsOf(invocation, context);
    const directory = dataDirectory(settings.dataDir);
    if (!flagOption(invocation, 'yes')) {
      if (!output.isTerminal)
        throw new UsageError('reset deletes all data; say --yes where nobody can be asked');
      const answer = await ask(
        `Delete ${directory.root}, its repository and everything that runs? [y/N] `,
        signal,
      );
      if (!/^y(es)?$/i.test(answer.trim())) {
        output.line('Nothing was changed.');
        return 0;
      }
    }
    if (!(await stopEverything(settings, directory, context))) return 1;
    await removeTree(directory.root);
    output.line(`Removed ${directory.root}.`);
    return 0;
  },
};
