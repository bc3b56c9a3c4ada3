// capstan join
import { dataDirectory } from '../../process/data-directory.js';
import { toFlags } from '../../process/settings.js';
import { parseToken } from '../../resources/bootstrap-token.js';
import { flagOption, textOption, UsageError, type CliCommand, type Invocation } from '../command.js';
import { runDaemon } from '../daemon.js';
import { addSettings, settingsOf } from '../settings-options.js';
import { agentSettings } from './agent.js';

const tokenOf = (invocation: Invocation) => {
  const text = textOption(invocation, 'token');
  if (text === undefined)
    throw new UsageError('--token is needed: `capstan token create` on a master prints the whole command');
  const token = parseToken(text);
  if (token === undefined)
    throw new UsageError('--token: a token looks like abcdef.0123456789abcdef (six, a dot, sixteen)');
  return token;
};

const hashesOf = (invocation: Invocation): readonly string[] => {
  const hashes = (invocation.options['caHash'] as readonly string[] | undefined) ?? [];
  if (hashes.length === 0)
    throw new UsageError('--ca-hash is needed: it proves that the master is the one that is meant');
  for (const hash of hashes)
    if (!/^sha256:[0-9a-f]{64}$/.test(hash))
      throw new UsageError(`--ca-hash: ${hash} is not sha256: and 64 hexadecimal digits`);
  return hashes;
};

const defaultPort = 6443;

const hostOf = ([text = '']: readonly string[]): string => {
  const url = URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : undefined;
  if (text === '' || url === undefined || url.pathname !== '/')
    throw new UsageError(`${text} is not HOST:PORT, such as 10.0.0.1:6443`);
  return url.port === '' ? `${url.hostname}:${String(text.endsWith(':443') ? 443 : defaultPort)}` : url.host;
};

export const command: CliCommand = {
  name: 'join',
  usage: '<host:port>',
  summary:
    'Make this machine a node of a cluster, with the command that `capstan init` or `token create` printed.',
  example: 'capstan join 10.0.0.1:6443 --token abcdef.0123456789abcdef --ca-hash sha256:…',
  options: (program) => {
    addSettings(program, agentSettings);
    program
      .option('--token <TOKEN>', 'bootstrap token')
      .option('--ca-hash <HASH...>', "hash of the public key of the cluster's authority")
      .option('--no-start', 'get the credentials, but leave the start to systemd (capstan install)');
  },
  run: async (invocation, context) => {
    const server = hostOf(invocation.args);
    const token = tokenOf(invocation);
    const hashes = hashesOf(invocation);
    const settings = await settingsOf(invocation, context);
    const { joinCluster } = await import('../../process/join.js');
    const { output, signal } = context;
    await joinCluster(settings, { server, token, hashes, say: output.line, signal });
    if (!flagOption(invocation, 'start')) {
      output.line('Start its agent with `capstan install agent`.');
      return 0;
    }
    return runDaemon(
      {
        args: ['agent', ...toFlags(settings, agentSettings)],
        directory: dataDirectory(settings.dataDir),
        detach: true,
        run: () => Promise.resolve(),
      },
      context,
    );
  },
};
