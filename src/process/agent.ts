// `capstan agent`: the node agent of a machine whose master is elsewhere.
import { ClusterError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { parseKubeconfig } from '../client/kubeconfig.js';
import { createRemoteCluster } from '../client/remote-cluster.js';
import { removePid, writePid } from '../host/detached.js';
import { openLog } from '../host/file-log.js';
import { readOptionalFile, writeFileAtomically } from '../host/files.js';
import { createHttpClient } from '../host/http-client.js';
import { machineName, primaryAddress } from '../host/machine.js';
import { randomIds } from '../host/random-ids.js';
import { systemClock } from '../host/system-clock.js';
import { remotePodSource } from '../node/remote-pod-source.js';
import { parseCertificate } from '../pki/certificate.js';
import { createEventRecorder } from '../reconcile/event-recorder.js';
import { dataDirectory, refuseSecond } from './data-directory.js';
import { nodeSubject } from './identities.js';
import { startNode } from './node.js';
import { toFile, type Settings } from './settings.js';
import { Tasks } from './tasks.js';

export interface AgentOptions {
  /** File with the credentials that the master signed for this node. */
  readonly kubeconfig: string;
  /** Called once, with lines for people, when the agent works. */
  ready(lines: readonly string[]): void;
  readonly signal: AbortSignal;
}

const readCredentials = async (file: string, nodeName: string) => {
  const text = await readOptionalFile(file);
  if (text === undefined) throw new ClusterError('NotFound', `there is no kubeconfig ${file}`);
  const kubeconfig = parseKubeconfig(text, file);
  const { commonName } = parseCertificate(kubeconfig.cert);
  if (commonName !== nodeSubject(nodeName).commonName)
    throw new ClusterError(
      'Forbidden',
      `${file} is for ${commonName}, but this node is ${nodeName}: sign one with \`capstan kubeconfig --node ${nodeName}\`, or name the node with --node-name`,
    );
  return kubeconfig;
};

const start = async (
  settings: Settings,
  file: string,
  { tasks, log }: { readonly tasks: Tasks; readonly log: Logger },
) => {
  const directory = dataDirectory(settings.dataDir);
  const nodeName = settings.nodeName ?? machineName();
  const { server: master, ca, cert, key } = await readCredentials(file, nodeName);
  await writeFileAtomically(directory.settings, toFile(settings));
  const clock = systemClock;
  const transport = createHttpClient({ server: master, ca, cert, key });
  tasks.finally(() => transport.close());
  const cluster = createRemoteCluster(transport, { userAgent: 'capstan-agent' });
  const events = createEventRecorder({ cluster, clock, log, component: 'capstan-agent', host: nodeName });
  tasks.start('events', (signal) => events.run(signal));
  await startNode(
    {
      settings,
      directory,
      nodeName,
      address: settings.advertiseAddress ?? primaryAddress(),
      cluster,
      source: remotePodSource({ cluster, nodeName, clock, log, random: randomIds.random }),
      events,
      ca,
      identity: { certificate: cert, key },
      clock,
      log,
    },
    tasks,
  );
  return [`The agent of node ${nodeName} works for ${master}; data in ${directory.root}`];
};

/** Runs until the signal aborts; containers go on running. */
export const runAgent = async (
  settings: Settings,
  { kubeconfig, ready, signal }: AgentOptions,
): Promise<void> => {
  const directory = dataDirectory(settings.dataDir);
  refuseSecond(directory);
  const log = openLog({ file: directory.log, level: settings.logLevel });
  const tasks = new Tasks(signal, log);
  try {
    const lines = await start(settings, kubeconfig, { tasks, log });
    writePid(directory.pid);
    tasks.finally(() => removePid(directory.pid));
    ready(lines);
    await tasks.finished();
  } finally {
    await tasks.stop();
  }
};
