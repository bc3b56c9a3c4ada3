// capstan agent
import { resolve } from 'node:path';
import { dataDirectory } from '../../process/data-directory.js';
import { toFlags } from '../../process/settings.js';
import { flagOption, textOption, UsageError, type CliCommand } from '../command.js';
import { runDaemon } from '../daemon.js';
import { addSettings, settingsOf } from '../settings-options.js';

const ownSettings = [
  'dataDir',
  'agentPort',
  'dockerHost',
  'nodeName',
  'advertiseAddress',
  'logLevel',
] as const;

export const command: CliCommand = {
  name: 'agent',
  summary:
    'Run the node agent of another machine: pods that the master schedules here run on its container engine.',
  example:
    'capstan kubeconfig --node h2 --server https://10.0.0.1:6443 > h2.kubeconfig   # on the master\ncapstan agent --kubeconfig h2.kubeconfig --node-name h2 --detach              # on the machine',
  options: (program) => {
    addSettings(program, ownSettings);
    program
      .option('--kubeconfig <FILE>', 'credentials that the master signed for this node')
      .option('--detach', 'run in the background; return when the node is registered');
  },
  run: async (invocation, context) => {
    const settings = await settingsOf(invocation, context);
    const file = textOption(invocation, 'kubeconfig');
    if (file === undefined)
      throw new UsageError(
        '--kubeconfig is needed: `capstan kubeconfig --node NAME` on the master prints one',
      );
    const kubeconfig = resolve(context.workingDirectory, file);
    return runDaemon(
      {
        args: ['agent', '--kubeconfig', kubeconfig, ...toFlags(settings, ownSettings)],
        directory: dataDirectory(settings.dataDir),
        detach: flagOption(invocation, 'detach'),
        run: async (options) => {
          const { runAgent } = await import('../../process/agent.js');
          await runAgent(settings, { ...options, kubeconfig });
        },
      },
      context,
    );
  },
};
