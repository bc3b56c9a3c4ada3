// capstan kubeconfig
import { signKubeconfig } from '../../process/sign-kubeconfig.js';
import { dataDirectory } from '../../process/data-directory.js';
import { textOption, UsageError, type CliCommand } from '../command.js';
import { addSettings, settingsOf } from '../settings-options.js';

export const command: CliCommand = {
  name: 'kubeconfig',
  summary:
    "Print a kubeconfig signed by this cluster's authority: for the administrator, a user, or a node's agent.",
  example:
    'capstan kubeconfig > ~/.kube/config\ncapstan kubeconfig --user anna --group developers\ncapstan kubeconfig --node h2 --server https://10.77.0.1:6443 > h2.kubeconfig',
  options: (program) => {
    addSettings(program, ['dataDir', 'apiPort', 'advertiseAddress']);
    program
      .option('--user <NAME>', 'common name of the certificate')
      .option('--group <NAME...>', 'organizations of the certificate')
      .option('--node <NAME>', 'for the agent of this node')
      .option('--server <URL>', 'address of the API server (default: this machine)');
  },
  run: async (invocation, context) => {
    const settings = await settingsOf(invocation, context);
    const user = textOption(invocation, 'user');
    const node = textOption(invocation, 'node');
    if (user !== undefined && node !== undefined)
      throw new UsageError('--user and --node exclude each other');
    const groups = (invocation.options['group'] as readonly string[] | undefined) ?? [];
    context.output.raw(
      await signKubeconfig(settings, dataDirectory(settings.dataDir), {
        server: textOption(invocation, 'server'),
        subject:
          node !== undefined
            ? { commonName: `system:node:${node}`, organizations: ['system:nodes'] }
            : user !== undefined
              ? { commonName: user, organizations: groups }
              : undefined,
      }),
    );
    return 0;
  },
};
