// capstan init
import { readOptionalFile } from '../../host/files.js';
import { readPid, stopProcess } from '../../host/detached.js';
import { systemClock } from '../../host/system-clock.js';
import { dataDirectory } from '../../process/data-directory.js';
import { preflightServer } from '../../process/init.js';
import { createToken, joinCommand, tokenUsages } from '../../process/invitations.js';
import { openRemote } from '../../process/remote.js';
import { toFlags, type Settings } from '../../process/settings.js';
import { flagOption, type CliCommand, type CliContext } from '../command.js';
import { runDaemon } from '../daemon.js';
import { addSettings, settingsOf } from '../settings-options.js';

const tokenLifeMs = 24 * 60 * 60 * 1000;
const stopTimeoutMs = 20_000;

const invite = async (settings: Settings, { output, signal }: CliContext): Promise<void> => {
  const { kubeconfig } = dataDirectory(settings.dataDir);
  const { cluster, close } = openRemote((await readOptionalFile(kubeconfig)) ?? '', kubeconfig);
  try {
    const token = await createToken(cluster, {
      token: undefined,
      expires: systemClock.now() + tokenLifeMs,
      description: 'made by capstan init',
      usages: tokenUsages,
      groups: [],
    });
    output.line('');
    output.line('To add a machine, run this on it as root within 24 hours:');
    output.line(`  ${await joinCommand(cluster, token, { clock: systemClock, signal })}`);
  } finally {
    close();
  }
};

export const command: CliCommand = {
  name: 'init',
  summary: 'Make this machine the first of a cluster, and print the command by which others join.',
  example: 'capstan init\ncapstan init --no-node --advertise-address 10.0.0.1',
  options: (program) => {
    addSettings(program);
    program
      .option('--no-node', 'a master that runs no pods itself')
      .option('--no-start', 'prepare everything, but leave the start to systemd (capstan install)');
  },
  run: async (invocation, context) => {
    const settings = await settingsOf(invocation, context);
    const node = invocation.options['node'] !== false;
    await preflightServer(settings, { node, signal: context.signal });
    const directory = dataDirectory(settings.dataDir);
    const code = await runDaemon(
      {
        args: [node ? 'up' : 'server', ...toFlags(settings)],
        directory,
        detach: true,
        run: () => Promise.resolve(),
      },
      context,
    );
    if (code !== 0) return code;
    await invite(settings, context);
    if (!flagOption(invocation, 'start')) {
      const pid = readPid(directory.pid);
      if (pid !== undefined) await stopProcess(pid, stopTimeoutMs);
      context.output.line('');
      context.output.line(
        `Everything is prepared in ${directory.root}. Start it with \`capstan install ${node ? 'up' : 'server'}\`.`,
      );
    }
    return 0;
  },
};
