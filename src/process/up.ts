// `capstan up`: a whole cluster in one process, from top to bottom.
import { programOf, readPid, removePid, writePid } from '../host/detached.js';
import { openLog } from '../host/file-log.js';
import { writeFileAtomically } from '../host/files.js';
import { openLmdbEngine } from '../host/lmdb/lmdb-engine.js';
import { machineName, primaryAddress } from '../host/machine.js';
import { systemClock } from '../host/system-clock.js';
import { ClusterError } from '../base/errors.js';
import { adminKubeconfig, openCredentials } from './credentials.js';
import { dataDirectory } from './data-directory.js';
import { startGitLoop } from './git-loop.js';
import { identities } from './identities.js';
import { startMaster } from './master.js';
import { toFile, type Settings } from './settings.js';
import { Tasks } from './tasks.js';
import { version } from './version.js';

export interface UpOptions {
  /** Called once, with lines for people, when the API server answers. */
  ready(lines: readonly string[]): void;
  readonly signal: AbortSignal;
}

const closeGraceMs = 2000;

/** Runs until the signal aborts; rejects when a part of it cannot start or fails. */
export const runUp = async (settings: Settings, { ready, signal }: UpOptions): Promise<void> => {
  const directory = dataDirectory(settings.dataDir);
  const running = readPid(directory.pid);
  if (running !== undefined)
    throw new ClusterError(
      'Conflict',
      `process ${running} runs the cluster in ${directory.root} already: \`capstan down\` stops it`,
    );
  const clock = systemClock;
  const engine = await openLmdbEngine(directory.store, { program: version });
  const log = openLog({ file: directory.log, level: settings.logLevel });
  const tasks = new Tasks(signal, log);
  const nodeName = settings.nodeName ?? machineName();
  const address = settings.advertiseAddress ?? primaryAddress();
  const credentials = await openCredentials({
    directory,
    now: clock.now(),
    nodeName,
    addresses: [address],
    serviceCidr: settings.serviceCidr,
  });
  const master = await startMaster({ settings, engine, credentials, address, version, clock, log }, tasks);
  const git = await startGitLoop(
    {
      settings,
      cluster: master.clusterAs(identities.gitops),
      informers: master.informers,
      events: master.recorderFor('capstan-git', identities.gitops),
      decisions: master.decisions,
      clock,
      log,
      program: programOf(),
    },
    tasks,
  );
  const server = await master.listen({ extensions: [git.extension], webhook: git.webhook });
  await writeFileAtomically(directory.kubeconfig, adminKubeconfig(credentials, server.port), 0o600);
  await writeFileAtomically(directory.settings, toFile(settings));
  writePid(directory.pid);
  ready([
    `Capstan ${version} runs: API server https://127.0.0.1:${server.port}, data in ${directory.root}`,
    `  kubectl --kubeconfig ${directory.kubeconfig} get nodes,deploy,rs,pods -A -o wide`,
  ]);
  try {
    await tasks.finished();
  } finally {
    await tasks.stop();
    await server.close(closeGraceMs);
    await master.close();
    removePid(directory.pid);
  }
};
