// The Git loop of a master: its repository, its hooks, and what follows the branch.
import { fileURLToPath } from 'node:url';
import type { Clock } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { createGitOps, type GitOps } from '../gitops/create-git-ops.js';
import { hookNames, hookScript } from '../gitops/hooks.js';
import { readOptionalFile } from '../host/files.js';
import type { Credentials } from '../host/git/transport.js';
import { serveHooks } from '../host/git/hook-socket.js';
import { openSource } from '../host/git/open-source.js';
import { makeOwnRepository, writeHooks } from '../host/git/own-repository.js';
import { toolRenderer } from '../host/git/tool-renderer.js';
import type { Cluster } from '../client/cluster.js';
import type { Informers } from '../client/informers.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import type { DecisionLog } from '../reconcile/decision-log.js';
import type { KindSource } from '../resources/kind-source.js';
import { dataDirectory } from './data-directory.js';
import { hookSocket } from './hook-socket-path.js';
import type { Settings } from './settings.js';
import type { Tasks } from './tasks.js';

export interface GitLoopOptions {
  readonly settings: Settings;
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly kinds: KindSource;
  readonly events: EventRecorder;
  readonly decisions?: DecisionLog | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Node and the program's script, as hooks call them. */
  readonly program: { readonly node: string; readonly script: string };
}

/** The trimmed content; throws NotFound, naming the setting, for a file that is not there. */
const secretOf = async (flag: string, file: string | undefined): Promise<string | undefined> => {
  if (file === undefined) return undefined;
  const content = await readOptionalFile(file);
  if (content === undefined) throw new ClusterError('NotFound', `--${flag}: there is no file ${file}`);
  return content.trim();
};

/** `user:password`, or a token alone: forges take a token as the password of any user. */
const credentialsOf = async ({ repoCredentialsFile, repoCaFile }: Settings): Promise<Credentials> => {
  const text = await secretOf('repo-credentials-file', repoCredentialsFile);
  const ca = await secretOf('repo-ca-file', repoCaFile);
  if (text === undefined) return { ca };
  const colon = text.indexOf(':');
  return colon === -1
    ? { username: 'capstan', password: text, ca }
    : { username: text.slice(0, colon), password: text.slice(colon + 1), ca };
};

const clusterName = 'local';
const author = { name: 'Capstan', email: `capstan@${clusterName}.cluster` };
const example = fileURLToPath(new URL('../../cluster-repo-example', import.meta.url));

/** Makes the repository where none is named, and follows it as tasks of the process. */
export const startGitLoop = async (options: GitLoopOptions, tasks: Tasks): Promise<GitOps> => {
  const { settings, clock, log, program } = options;
  const directory = dataDirectory(settings.dataDir);
  const own = settings.repo === undefined;
  if (own) {
    const gitDir = directory.repository;
    await makeOwnRepository(
      { gitDir, branch: settings.branch, example, author, now: clock.now() },
      tasks.signal,
    );
    const scripts = hookNames.map(
      (name) => [name, hookScript(name, { ...program, dataDir: directory.root })] as const,
    );
    await writeHooks(gitDir, new Map(scripts));
  }
  const source = await openSource(
    {
      address: settings.repo ?? directory.repository,
      branch: settings.branch,
      mirrors: directory.sources,
      own,
      credentials: await credentialsOf(settings),
    },
    tasks.signal,
  );
  const gitLog = log.child({ part: 'git' });
  const { cluster, informers, kinds, events, decisions } = options;
  const gitOps = createGitOps({
    cluster,
    informers,
    kinds,
    source,
    renderer: toolRenderer,
    events,
    decisions,
    clock,
    log: gitLog,
    clusterName,
    webhookSecret: await secretOf('webhook-secret-file', settings.webhookSecretFile),
  });
  tasks.start('git', (signal) => gitOps.run(signal));
  if (own)
    tasks.start('push hooks', (signal) =>
      serveHooks(hookSocket(directory.root), gitOps.pushGate, { log: gitLog, signal }),
    );
  return gitOps;
};
