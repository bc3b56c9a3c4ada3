// `capstan agent`: the node agent of a machine whose master is elsewhere.
import { ClusterError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { createInformers, type Informers, type WatchedKind } from '../client/informers.js';
import { parseKubeconfig, type Kubeconfig } from '../client/kubeconfig.js';
import { createRemoteCluster } from '../client/remote-cluster.js';
import { removePid, writePid } from '../host/detached.js';
import { openLog } from '../host/file-log.js';
import { readOptionalFile, writeFileAtomically } from '../host/files.js';
import { createHttpClient } from '../host/http-client.js';
import { machineName, primaryAddress } from '../host/machine.js';
import { readMachine } from '../host/machine-facts.js';
import { randomIds } from '../host/random-ids.js';
import { systemClock } from '../host/system-clock.js';
import { remotePodSource } from '../node/remote-pod-source.js';
import { parseCertificate } from '../pki/certificate.js';
import { RotatingValue } from '../pki/rotating.js';
import { createEventRecorder } from '../reconcile/event-recorder.js';
import { dataDirectory, refuseSecond } from './data-directory.js';
import { nodeSubject } from './identities.js';
import { watchedByNetwork } from './network.js';
import { startNode } from './node.js';
import { keepClientCertificate, keepServingCertificate } from './node-identity.js';
import { toFile, type Settings } from './settings.js';
import { Tasks } from './tasks.js';

export interface AgentOptions {
  /** File with the credentials that the master signed for this node; undefined: those of `capstan join`. */
  readonly kubeconfig: string | undefined;
  /** Called once, with lines for people, when the agent works. */
  ready(lines: readonly string[]): void;
  readonly signal: AbortSignal;
}

const readCredentials = async (file: string, nodeName: string): Promise<Kubeconfig | undefined> => {
  const text = await readOptionalFile(file);
  if (text === undefined) return undefined;
  const kubeconfig = parseKubeconfig(text, file);
  const { commonName, notAfter } = parseCertificate(kubeconfig.cert);
  if (commonName !== nodeSubject(nodeName).commonName)
    throw new ClusterError(
      'Forbidden',
      `${file} is for ${commonName}, but this node is ${nodeName}: name the node with --node-name, or sign credentials for it with \`capstan kubeconfig --node ${nodeName}\``,
    );
  if (notAfter < systemClock.now())
    throw new ClusterError(
      'Unauthorized',
      `the certificate in ${file} expired at ${new Date(notAfter).toISOString()}, while no agent ran to renew it: remove the file and join again`,
    );
  return kubeconfig;
};

/** What the agent has renewed itself comes before what it was given at first, unless that is of another cluster. */
const chooseCredentials = async (
  { given, own }: { readonly given: string | undefined; readonly own: string },
  nodeName: string,
): Promise<Kubeconfig> => {
  const first = given === undefined ? undefined : await readCredentials(given, nodeName);
  if (given !== undefined && first === undefined)
    throw new ClusterError('NotFound', `there is no kubeconfig ${given}`);
  const kept =
    first === undefined
      ? await readCredentials(own, nodeName)
      : await readCredentials(own, nodeName).catch(() => undefined);
  if (kept !== undefined && (first === undefined || (kept.ca === first.ca && kept.server === first.server)))
    return kept;
  if (first !== undefined) return first;
  throw new ClusterError(
    'NotFound',
    `this machine has not joined a cluster (there is no ${own}): \`capstan join\` with the command that the master prints, or name credentials with --kubeconfig`,
  );
};

const start = async (
  settings: Settings,
  given: string | undefined,
  { tasks, log }: { readonly tasks: Tasks; readonly log: Logger },
) => {
  const directory = dataDirectory(settings.dataDir);
  const nodeName = settings.nodeName ?? machineName();
  const kubeconfig = new RotatingValue(
    await chooseCredentials({ given, own: directory.agentKubeconfig }, nodeName),
  );
  const { server: master, ca, cert, key } = kubeconfig.current;
  await writeFileAtomically(directory.settings, toFile(settings));
  const clock = systemClock;
  const transport = createHttpClient({ server: master, ca, cert, key });
  tasks.finally(() => transport.close());
  kubeconfig.subscribe((renewed) => transport.renew(renewed));
  const cluster = createRemoteCluster(transport, { userAgent: 'capstan-agent' });
  const events = createEventRecorder({ cluster, clock, log, component: 'capstan-agent', host: nodeName });
  tasks.start('events', (signal) => events.run(signal));
  const informersOf = (kinds: readonly WatchedKind[]): Informers =>
    createInformers({ cluster, kinds, clock, log, random: randomIds.random });
  const informers = informersOf(watchedByNetwork);
  tasks.start('informers', (signal) => informers.run(signal));
  const watch = (kinds: readonly WatchedKind[], signal: AbortSignal): Informers => {
    const more = informersOf(kinds);
    tasks.start('informers', () => more.run(signal));
    return more;
  };
  const address = settings.advertiseAddress ?? primaryAddress();
  const { machineID } = await readMachine(directory.root);
  const identity = { nodeName, address, directory, cluster, clock, log };
  keepClientCertificate(identity, { kubeconfig, machineID }, tasks);
  await startNode(
    {
      informers,
      watch,
      settings,
      directory,
      nodeName,
      address,
      cluster,
      source: remotePodSource({ cluster, nodeName, clock, log, random: randomIds.random }),
      events,
      ca,
      identity: await keepServingCertificate(
        identity,
        { ca, placeholder: { certificate: cert, key } },
        tasks,
      ),
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
