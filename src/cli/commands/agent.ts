// capstan agent
import { resolve } from 'node:path';
import { dataDirectory } from '../../process/data-directory.js';
import { toFlags } from '../../process/settings.js';
import { flagOption, textOption, type CliCommand } from '../command.js';
import { runDaemon } from '../daemon.js';
import { addSettings, settingsOf } from '../settings-options.js';

export const agentSettings = [
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
    'Run the node agent of a machine that has joined: pods that the master schedules here run on its engine.',
  example: 'capstan agent --detach     # on a machine that has joined',
  options: (program) => {
    addSettings(program, agentSettings);
    program
      .option(
        '--kubeconfig <FILE>',
        'credentials that the master signed for this node (default: those of `capstan join`)',
      )
      .option('--detach', 'run in the background; return when the node is registered');
  },
  run: async (invocation, context) => {
    const settings = await settingsOf(invocation, context);
    const file = textOption(invocation, 'kubeconfig');
    const kubeconfig = file === undefined ? undefined : resolve(context.workingDirectory, file);
    return runDaemon(
      {
        args: [
          'agent',
          ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
          ...toFlags(settings, agentSettings),
        ],
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
