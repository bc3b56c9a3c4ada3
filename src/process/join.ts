// `capstan join`: from a token and a hash to the credentials of a node, one step after the other.
import { createRemoteCluster } from '../client/remote-cluster.js';
import { discoverAuthority } from '../client/discovery.js';
import { ClusterError } from '../base/errors.js';
import { isPortFree, isRoot, hostNetworks } from '../host/preflight-facts.js';
import { createAnonymousClient } from '../host/http-client.js';
import { readOptionalFile, writeFileAtomically } from '../host/files.js';
import { machineName, primaryAddress } from '../host/machine.js';
import { readMachine } from '../host/machine-facts.js';
import { privateFiles } from '../host/private-files.js';
import { systemClock } from '../host/system-clock.js';
import type { TokenParts } from '../resources/bootstrap-token.js';
import { dataDirectory } from './data-directory.js';
import { engineProblem } from './init.js';
import { nodeSubject } from './identities.js';
import { requestAgentClient, writeAgentKubeconfig } from './node-identity.js';
import { refuseUnready } from './preflight.js';
import { toFile, type Settings } from './settings.js';

export interface JoinOptions {
  /** `10.0.0.1:6443`. */
  readonly server: string;
  readonly token: TokenParts;
  /** `sha256:…`. */
  readonly hashes: readonly string[];
  /** A line for people. */
  say(line: string): void;
  readonly signal: AbortSignal;
}

const holds = async (settings: Settings): Promise<string | undefined> => {
  const { agentKubeconfig, kubeconfig } = dataDirectory(settings.dataDir);
  if ((await readOptionalFile(agentKubeconfig)) !== undefined)
    return 'by a node that has joined: `capstan agent` starts it again';
  return (await readOptionalFile(kubeconfig)) === undefined ? undefined : 'by a cluster of its own';
};

const preflight = async (settings: Settings, signal: AbortSignal): Promise<void> => {
  const { agentPort, dataDir } = settings;
  refuseUnready({
    root: isRoot(),
    now: systemClock.now(),
    nodeName: settings.nodeName ?? machineName(),
    dataDir,
    dataDirHolds: await holds(settings),
    busyPorts: (await isPortFree(agentPort)) ? [] : [{ port: agentPort, flag: '--agent-port' }],
    engineProblem: await engineProblem(settings, signal),
    cidrs: [],
    hostNetworks: hostNetworks(),
  });
};

/** Leaves the node's credentials in the data directory. Throws, with the reason, when the machine is not taken in. */
export const joinCluster = async (
  settings: Settings,
  { server: host, token, hashes, say, signal }: JoinOptions,
): Promise<void> => {
  await preflight(settings, signal);
  const clock = systemClock;
  const directory = dataDirectory(settings.dataDir);
  const nodeName = settings.nodeName ?? machineName();
  const server = `https://${host}`;
  const open = (ca: string | undefined) => createAnonymousClient(server, ca);
  const ca = await discoverAuthority({ server, token, hashes, nodeName, clock, open }, signal);
  say(`The authority of ${server} is the expected one, and token ${token.id} vouches for it.`);
  await privateFiles(directory.pki);
  const { machineID } = await readMachine(directory.root);
  const cluster = createRemoteCluster(open(ca), {
    userAgent: 'capstan-join',
    token: `${token.id}.${token.secret}`,
  });
  const waiting = (name: string): void =>
    say(`Nobody has approved the request yet. On a master: kubectl certificate approve ${name}`);
  const machine = { machineID, address: settings.advertiseAddress ?? primaryAddress() };
  const pair = await requestAgentClient({ cluster, clock, waiting }, { nodeName, machine }, signal).catch(
    (error: unknown) => {
      throw error instanceof ClusterError
        ? new ClusterError(error.code, `${server} did not take this machine in: ${error.message}`, {
            cause: error,
          })
        : error;
    },
  );
  await writeAgentKubeconfig(directory, {
    name: 'capstan',
    server,
    ca,
    cert: pair.certificate,
    key: pair.key,
    user: nodeSubject(nodeName).commonName,
  });
  await writeFileAtomically(directory.settings, toFile({ ...settings, nodeName }));
  say(`The cluster has signed the certificate of node ${nodeName}.`);
};
