// capstan install
import { join, resolve } from 'node:path';
import { programOf } from '../../host/detached.js';
import { writeFileAtomically } from '../../host/files.js';
import { toFlags } from '../../process/settings.js';
import { unitName, unitText, type UnitRole } from '../../process/systemd-unit.js';
import { flagOption, textOption, UsageError, type CliCommand } from '../command.js';
import { addSettings, settingsOf } from '../settings-options.js';
import { agentSettings } from './agent.js';

const roles: readonly UnitRole[] = ['up', 'server', 'agent'];
const defaultDirectory = '/etc/systemd/system';

export const command: CliCommand = {
  name: 'install',
  usage: '<up|server|agent>',
  summary: 'Write the systemd unit that starts this daemon with the machine.',
  example:
    'capstan install server && systemctl enable --now capstan\ncapstan install agent && systemctl enable --now capstan-agent\ncapstan install up --print',
  options: (program) => {
    addSettings(program);
    program
      .option('--unit-dir <DIR>', `where units are kept (default: ${defaultDirectory})`)
      .option('--print', 'print the unit instead');
  },
  run: async (invocation, context) => {
    const role = roles.find((candidate) => candidate === invocation.args[0]);
    if (role === undefined)
      throw new UsageError(`${invocation.args[0] ?? ''} is none of ${roles.join(', ')}`);
    const settings = await settingsOf(invocation, context);
    const { node, script } = programOf();
    const flags = role === 'agent' ? toFlags(settings, agentSettings) : toFlags(settings);
    const text = unitText({ role, node, script: resolve(context.workingDirectory, script), flags });
    if (flagOption(invocation, 'print')) {
      context.output.raw(text);
      return 0;
    }
    const file = join(textOption(invocation, 'unitDir') ?? defaultDirectory, unitName(role));
    await writeFileAtomically(file, text);
    context.output.line(`Wrote ${file}. Start it, now and with the machine:`);
    context.output.line(`  systemctl daemon-reload && systemctl enable --now ${unitName(role)}`);
    return 0;
  },
};
