// `capstan server`: the master of a cluster without a node of its own; `capstan up` is this with one.
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { programOf, removePid, writePid } from '../host/detached.js';
import { openLog } from '../host/file-log.js';
import { writeFileAtomically } from '../host/files.js';
import { openLmdbEngine } from '../host/lmdb/lmdb-engine.js';
import { machineName, primaryAddress } from '../host/machine.js';
import { systemClock } from '../host/system-clock.js';
import { messageOf } from '../base/errors.js';
import type { Rotating } from '../pki/rotating.js';
import { encryptSecrets } from './at-rest.js';
import { adminKubeconfig, rotateCredentials, type Credentials } from './credentials.js';
import { dataDirectory, refuseSecond, type DataDirectory } from './data-directory.js';
import { startGitLoop } from './git-loop.js';
import { identities } from './identities.js';
import { startMaster, type Master } from './master.js';
import { durationOf, namesOf, toFile, type Settings } from './settings.js';
import { Tasks } from './tasks.js';
import { version } from './version.js';

export interface ServerOptions {
  /** Called once, with lines for people, when the API server answers. */
  ready(lines: readonly string[]): void;
  readonly signal: AbortSignal;
}

/** What runs before the nodes of this process, if it has any. */
export interface ControlPlane {
  readonly settings: Settings;
  readonly directory: DataDirectory;
  readonly nodeName: string;
  readonly address: string;
  readonly credentials: Rotating<Credentials>;
  readonly master: Master;
  readonly clock: Clock;
  readonly log: Logger;
}

type StartNodes = (controlPlane: ControlPlane, tasks: Tasks) => Promise<void>;

/** The kubeconfig of whoever sits at this machine, kept current. */
const writeKubeconfig = async (
  { credentials, directory, log }: ControlPlane,
  port: number,
): Promise<void> => {
  const write = (current: Credentials): Promise<void> =>
    writeFileAtomically(directory.kubeconfig, adminKubeconfig(current, port), 0o600);
  credentials.subscribe((renewed) => {
    write(renewed).catch((error: unknown) =>
      log.error({ error: messageOf(error) }, `${directory.kubeconfig} could not be renewed`),
    );
  });
  await write(credentials.current);
};

const start = async (
  settings: Settings,
  {
    tasks,
    log,
    startNodes,
  }: { readonly tasks: Tasks; readonly log: Logger; readonly startNodes: StartNodes | undefined },
): Promise<readonly string[]> => {
  const directory = dataDirectory(settings.dataDir);
  const clock = systemClock;
  const engine = await encryptSecrets(await openLmdbEngine(directory.store, { program: version }), directory);
  const nodeName = settings.nodeName ?? machineName();
  const address = settings.advertiseAddress ?? primaryAddress();
  const credentials = await rotateCredentials(
    {
      directory,
      nodeName,
      addresses: [address],
      serviceCidr: settings.serviceCidr,
      otherNames: namesOf(settings.tlsSan),
      lifetime: durationOf(settings.certificateLifetime),
      clock,
      log,
    },
    tasks,
  );
  const master = await startMaster({ settings, engine, credentials, address, version, clock, log }, tasks);
  const git = await startGitLoop(
    {
      settings,
      cluster: master.clusterAs(identities.gitops),
      informers: master.informers,
      kinds: master.kinds,
      events: master.recorderFor('capstan-git', identities.gitops),
      decisions: master.decisions,
      clock,
      log,
      program: programOf(),
    },
    tasks,
  );
  const controlPlane = { settings, directory, nodeName, address, credentials, master, clock, log };
  await startNodes?.(controlPlane, tasks);
  const server = await master.listen({ extensions: [git.extension], webhook: git.webhook });
  await writeKubeconfig(controlPlane, server.port);
  await writeFileAtomically(directory.settings, toFile(settings));
  return [
    `Capstan ${version} runs: API server https://127.0.0.1:${server.port}, data in ${directory.root}`,
    `  kubectl --kubeconfig ${directory.kubeconfig} get nodes,deploy,rs,pods -A -o wide`,
  ];
};

/** Runs until the signal aborts; rejects when a part of it cannot start or fails. */
export const runServer = async (
  settings: Settings,
  { ready, signal }: ServerOptions,
  startNodes?: StartNodes,
): Promise<void> => {
  const directory = dataDirectory(settings.dataDir);
  refuseSecond(directory);
  const log = openLog({ file: directory.log, level: settings.logLevel });
  const tasks = new Tasks(signal, log);
  try {
    const lines = await start(settings, { tasks, log, startNodes });
    writePid(directory.pid);
    tasks.finally(() => removePid(directory.pid));
    ready(lines);
    await tasks.finished();
  } finally {
    await tasks.stop();
  }
};
