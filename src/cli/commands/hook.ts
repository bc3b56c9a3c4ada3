// capstan hook pre-receive|post-receive: what the hooks of Capstan's own repository call. Loads as little as it can, since
// every push waits for it.
import { join, resolve } from 'node:path';
import { readStandardInput } from '../../host/standard-input.js';
import { askDaemon } from '../../host/git/hook-socket.js';
import { hookSocket } from '../../process/hook-socket-path.js';
import type { CliCommand } from '../command.js';
import { textOption, UsageError } from '../command.js';

type Environment = Readonly<Record<string, string | undefined>>;

const quarantineOf = (environment: Environment, gitDir: string) => {
  const directory = environment['GIT_QUARANTINE_PATH'] ?? environment['GIT_OBJECT_DIRECTORY'];
  if (directory === undefined) return undefined;
  return {
    objectDirectory: directory,
    alternates: environment['GIT_ALTERNATE_OBJECT_DIRECTORIES'] ?? join(gitDir, 'objects'),
  };
};

const updatesIn = (input: string) =>
  input
    .split('\n')
    .map((line) => line.split(' '))
    .filter((parts) => parts.length === 3)
    .map(([before = '', after = '', ref = '']) => ({ before, after, ref }));

export const command: CliCommand = {
  name: 'hook',
  usage: '<hook>',
  summary: 'Answer a Git hook of the cluster repository.',
  example: 'capstan hook pre-receive --data-dir /var/lib/capstan',
  hidden: true,
  options: (program) => {
    program.requiredOption('--data-dir <DIR>', 'data directory of the cluster');
  },
  run: async (invocation, { environment, workingDirectory, output, signal }) => {
    const [hook] = invocation.args;
    const dataDir = textOption(invocation, 'dataDir') ?? '';
    if (hook !== 'pre-receive' && hook !== 'post-receive')
      throw new UsageError('hook: pre-receive and post-receive are what there is');
    const gitDir = resolve(workingDirectory, environment['GIT_DIR'] ?? '.');
    const updates = updatesIn(await readStandardInput());
    const request = { hook, updates, quarantine: quarantineOf(environment, gitDir) } as const;
    const answer =
      (await askDaemon(hookSocket(dataDir), request)) ??
      (await (
        await import('../../process/offline-push.js')
      ).checkPushOffline(request, { dataDir, gitDir }, signal));
    for (const line of answer.lines) output.note(line);
    return answer.accepted ? 0 : 3;
  },
};
