// `capstan up`: a whole cluster in one process, from top to bottom.
import { viewPodSources } from '../node/view-pod-source.js';
import { partOf } from '../pki/rotating.js';
import { machineName } from '../host/machine.js';
import { dataDirectory, refuseSecond } from './data-directory.js';
import { startHollowNodes } from './hollow-nodes.js';
import { nodeIdentity } from './identities.js';
import { checkNetwork } from './network.js';
import { serveAgent, startNode } from './node.js';
import { runServer, type ControlPlane, type ServerOptions } from './server.js';
import type { Settings } from './settings.js';
import type { Tasks } from './tasks.js';

/** This machine as a node, or as many simulated ones. */
const startNodes = (options: ControlPlane, tasks: Tasks): Promise<void> => {
  const { settings, nodeName, address, credentials, master, clock, log } = options;
  const { ca } = credentials.current;
  const identity = partOf(credentials, ({ agent }) => agent);
  const { informers, decisions } = master;
  if (settings.runtime === 'hollow') {
    const events = master.recorderFor('hollow-agent', nodeIdentity('hollow'));
    const handler = startHollowNodes(
      {
        count: settings.hollowNodes,
        address,
        agentPort: settings.agentPort,
        clusterOf: (name) => master.clusterAs(nodeIdentity(name)),
        informers,
        events,
        clock,
        log,
      },
      tasks,
    );
    return serveAgent({ settings, ca, identity, handler, log }, tasks);
  }
  const who = nodeIdentity(nodeName);
  return startNode(
    {
      ...options,
      ca,
      identity,
      decisions,
      informers,
      cluster: master.clusterAs(who),
      watch: () => informers,
      source: viewPodSources(informers)(nodeName),
      events: master.recorderFor('capstan-agent', who),
    },
    tasks,
  );
};

/** Runs until the signal aborts; rejects when a part of it cannot start or fails. */
export const runUp = async (settings: Settings, options: ServerOptions): Promise<void> => {
  const directory = dataDirectory(settings.dataDir);
  refuseSecond(directory);
  if (settings.runtime !== 'hollow') {
    const nodeName = settings.nodeName ?? machineName();
    await checkNetwork(settings, { instance: directory.instance, nodeName }, options.signal);
  }
  await runServer(settings, options, startNodes);
};
