// `capstan up`: a whole cluster in one process, from top to bottom.
import { programOf, removePid, writePid } from '../host/detached.js';
import { openLog } from '../host/file-log.js';
import { writeFileAtomically } from '../host/files.js';
import { openLmdbEngine } from '../host/lmdb/lmdb-engine.js';
import { machineName, primaryAddress } from '../host/machine.js';
import { systemClock } from '../host/system-clock.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { viewPodSources } from '../node/view-pod-source.js';
import { encryptSecrets } from './at-rest.js';
import { adminKubeconfig, openCredentials, type Credentials } from './credentials.js';
import { dataDirectory, refuseSecond, type DataDirectory } from './data-directory.js';
import { startGitLoop } from './git-loop.js';
import { startHollowNodes } from './hollow-nodes.js';
import { identities, nodeSubject } from './identities.js';
import { serveAgent, startNode } from './node.js';
import { startMaster, type Master } from './master.js';
import { toFile, type Settings } from './settings.js';
import { Tasks } from './tasks.js';
import { version } from './version.js';

export interface UpOptions {
  /** Called once, with lines for people, when the API server answers. */
  ready(lines: readonly string[]): void;
  readonly signal: AbortSignal;
}

interface NodesOptions {
  readonly settings: Settings;
  readonly directory: DataDirectory;
  readonly nodeName: string;
  readonly address: string;
  readonly credentials: Credentials;
  readonly master: Master;
  readonly clock: Clock;
  readonly log: Logger;
}

/** This machine as a node, or as many simulated ones. */
const startNodes = (options: NodesOptions, tasks: Tasks): Promise<void> => {
  const { settings, nodeName, address, credentials, master, clock, log } = options;
  const { ca, agent: identity } = credentials;
  const { informers, decisions } = master;
  if (settings.runtime === 'hollow') {
    const who = identities.hollow;
    const cluster = master.clusterAs(who);
    const events = master.recorderFor('hollow-agent', who);
    const handler = startHollowNodes(
      {
        count: settings.hollowNodes,
        address,
        agentPort: settings.agentPort,
        cluster,
        informers,
        events,
        clock,
        log,
      },
      tasks,
    );
    return serveAgent({ settings, ca, identity, handler, log }, tasks);
  }
  const { commonName, organizations } = nodeSubject(nodeName);
  const who = { user: commonName, groups: organizations };
  return startNode(
    {
      ...options,
      ca,
      identity,
      decisions,
      cluster: master.clusterAs(who),
      source: viewPodSources(informers)(nodeName),
      events: master.recorderFor('capstan-agent', who),
    },
    tasks,
  );
};

const start = async (settings: Settings, tasks: Tasks, log: Logger): Promise<readonly string[]> => {
  const directory = dataDirectory(settings.dataDir);
  const clock = systemClock;
  const engine = await encryptSecrets(await openLmdbEngine(directory.store, { program: version }), directory);
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
  await startNodes({ settings, directory, nodeName, address, credentials, master, clock, log }, tasks);
  const server = await master.listen({ extensions: [git.extension], webhook: git.webhook });
  await writeFileAtomically(directory.kubeconfig, adminKubeconfig(credentials, server.port), 0o600);
  await writeFileAtomically(directory.settings, toFile(settings));
  return [
    `Capstan ${version} runs: API server https://127.0.0.1:${server.port}, data in ${directory.root}`,
    `  kubectl --kubeconfig ${directory.kubeconfig} get nodes,deploy,rs,pods -A -o wide`,
  ];
};

/** Runs until the signal aborts; rejects when a part of it cannot start or fails. */
export const runUp = async (settings: Settings, { ready, signal }: UpOptions): Promise<void> => {
  const directory = dataDirectory(settings.dataDir);
  refuseSecond(directory);
  const log = openLog({ file: directory.log, level: settings.logLevel });
  const tasks = new Tasks(signal, log);
  try {
    const lines = await start(settings, tasks, log);
    writePid(directory.pid);
    tasks.finally(() => removePid(directory.pid));
    ready(lines);
    await tasks.finished();
  } finally {
    await tasks.stop();
  }
};
