// `capstan init`: is this machine fit to be a master?
import { messageOf } from '../base/errors.js';
import { dockerVersion } from '../host/docker/engine-version.js';
import { entriesOf, hostNetworks, isPortFree, isRoot } from '../host/preflight-facts.js';
import { machineName } from '../host/machine.js';
import { systemClock } from '../host/system-clock.js';
import { refuseUnready } from './preflight.js';
import { engineHost } from './settings.js';
import type { Settings } from './settings.js';

/** Undefined when the engine answers, or is simulated. */
export const engineProblem = async (settings: Settings, signal: AbortSignal): Promise<string | undefined> => {
  if (settings.runtime === 'hollow') return undefined;
  try {
    await dockerVersion(engineHost(settings), signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `${messageOf(error)}; a node needs a container engine: install docker.io, or name another with --docker-host`;
  }
};

const remains: ReadonlySet<string> = new Set([
  'store',
  'pki',
  'admin.kubeconfig',
  'agent.kubeconfig',
  'capstan.pid',
]);

/** Throws Conflict with everything that stands in the way. */
export const preflightServer = async (
  settings: Settings,
  { node, signal }: { readonly node: boolean; readonly signal: AbortSignal },
): Promise<void> => {
  const { apiPort, agentPort, dataDir, podCidr, serviceCidr, runtime } = settings;
  const wanted = [
    { port: apiPort, flag: '--api-port' },
    ...(node ? [{ port: agentPort, flag: '--agent-port' }] : []),
  ];
  const free = await Promise.all(wanted.map(({ port }) => isPortFree(port)));
  const found = (await entriesOf(dataDir)).filter((name) => remains.has(name));
  refuseUnready({
    root: isRoot() || runtime === 'hollow',
    now: systemClock.now(),
    nodeName: settings.nodeName ?? machineName(),
    dataDir,
    dataDirHolds: found.length === 0 ? undefined : `it holds ${found.join(', ')}`,
    busyPorts: wanted.filter((_, index) => free[index] === false),
    engineProblem: node ? await engineProblem(settings, signal) : undefined,
    cidrs: [
      { flag: '--pod-cidr', cidr: podCidr },
      { flag: '--service-cidr', cidr: serviceCidr },
    ],
    hostNetworks: hostNetworks(),
  });
};
