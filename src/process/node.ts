// The node agent of this machine: engine, files, pods, and the port on which the API server asks for logs.
import type { Registry } from 'prom-client';
import type { Clock } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import type { HttpHandler, HttpRequest, UpgradeHandler } from '../base/http.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { Informers, WatchedKind } from '../client/informers.js';
import { createDockerRuntime } from '../host/docker/docker-runtime.js';
import { dockerVersion } from '../host/docker/engine-version.js';
import { startHttpServer } from '../host/http-server.js';
import { readMachine } from '../host/machine-facts.js';
import { readMachineUsage } from '../host/machine-usage.js';
import { createImageStore } from '../host/docker/image-store.js';
import { createNodeFiles } from '../host/node-files.js';
import { createNodeSensor } from '../host/node-sensor.js';
import { networkProber } from '../host/prober.js';
import { dialTcp } from '../host/streams/dial.js';
import { createWebSocketAcceptor } from '../host/streams/web-socket.js';
import { createAgent } from '../node/agent.js';
import type { ApiService } from '../node/environment.js';
import type { PodSource } from '../node/pod-source.js';
import { createStreamServer } from '../node/streams/stream-server.js';
import { agentEndpoints } from './agent-endpoints.js';
import { agentClientName } from './identities.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import type { DecisionLog } from '../reconcile/decision-log.js';
import type { KeyPair } from '../pki/certificate.js';
import type { Rotating } from '../pki/rotating.js';
import { services } from '../resources/kinds/services.js';
import type { View } from '../client/view.js';
import type { DataDirectory } from './data-directory.js';
import { startNetwork } from './network.js';
import { engineHost } from './settings.js';
import type { Settings } from './settings.js';
import type { Tasks } from './tasks.js';
import { version } from './version.js';

export interface NodeOptions {
  readonly settings: Settings;
  readonly directory: DataDirectory;
  readonly nodeName: string;
  readonly address: string;
  readonly cluster: Cluster;
  readonly source: PodSource;
  /** Watches at least `watchedByNetwork`. */
  readonly informers: Informers;
  /** Informers that watch these kinds too, until the signal aborts. */
  watch(kinds: readonly WatchedKind[], signal: AbortSignal): Informers;
  readonly events: EventRecorder;
  readonly decisions?: DecisionLog | undefined;
  /** PEM of the authority, and the node's certificate. */
  readonly ca: string;
  readonly identity: Rotating<KeyPair>;
  readonly clock: Clock;
  readonly log: Logger;
}

const closeGraceMs = 2000;

export interface AgentServer extends Pick<NodeOptions, 'settings' | 'ca' | 'identity' | 'log'> {
  readonly handler: HttpHandler;
  /** Runs commands and forwards ports in the pods of this engine; a simulated fleet has many engines, and none. */
  readonly upgrade?: UpgradeHandler | undefined;
  /** Of parts of the node, for `/metrics`. */
  readonly figures?: readonly Registry[] | undefined;
}

/** The port on which the API server asks an agent. */
export const serveAgent = async (
  { settings, ca, identity, handler, upgrade, figures, log }: AgentServer,
  tasks: Tasks,
): Promise<void> => {
  const tls = ({ certificate, key }: KeyPair) => ({ key, cert: certificate, ca });
  const server = await startHttpServer({
    host: '0.0.0.0',
    port: settings.agentPort,
    portFlag: '--agent-port',
    tls: tls(identity.current),
    handler: agentEndpoints(handler, figures),
    ...(upgrade === undefined ? {} : { upgrade }),
    log,
  });
  identity.subscribe((pair) => server.renew(tls(pair)));
  tasks.finally(() => server.close(closeGraceMs));
};

/** Commands in pods are for the API server to ask, which has asked who may. */
const onlyApiServer = ({ clientCertificate }: HttpRequest): void => {
  if (clientCertificate?.commonName !== agentClientName)
    throw new ClusterError('Forbidden', 'only the API server may connect to pods through their agent');
};

/** The Service `kubernetes`, once the watch has shown it. */
const apiServiceIn = (view: View): ApiService | undefined => {
  const spec = view.get(services, { name: 'kubernetes', namespace: 'default' })?.spec;
  const host = spec?.clusterIP ?? '';
  const port = spec?.ports?.[0]?.port;
  return host === '' || port === undefined ? undefined : { host, port };
};

/** Throws ServiceUnavailable, naming the engine's address and what to do, when the engine does not answer. */
export const startNode = async (options: NodeOptions, tasks: Tasks): Promise<void> => {
  const { settings, directory, nodeName, address, ca, identity } = options;
  const log = options.log.child({ part: 'node' });
  const host = engineHost(settings);
  const flavor = settings.runtime === 'podman' ? 'podman' : 'docker';
  const engine = { name: flavor, version: await dockerVersion(host, tasks.signal) };
  const network = startNetwork(
    { ...options, instance: directory.instance, ingressFolder: directory.ingress },
    tasks,
  );
  const runtime = await createDockerRuntime({
    host,
    flavor,
    instance: directory.instance,
    node: nodeName,
    network: network.engine,
    log,
  });
  const agent = createAgent({
    cluster: options.cluster,
    source: options.source,
    runtime,
    files: createNodeFiles(directory.node),
    prober: networkProber,
    dns: (signal) => network.dns(signal),
    clock: options.clock,
    events: options.events,
    decisions: options.decisions,
    log,
    nodeName,
    machine: await readMachine(directory.root),
    machineUsage: () => readMachineUsage(() => options.clock.now()),
    sensor: createNodeSensor(directory.root),
    images: await createImageStore({ host, log }),
    address,
    agentPort: settings.agentPort,
    engine,
    version: `v${version}`,
    waitsForProxies: () => network.waitsForProxies(),
    apiService: () => apiServiceIn(options.informers.view),
  });
  const upgrade = createStreamServer({
    runtime,
    clock: options.clock,
    log,
    acceptWebSocket: createWebSocketAcceptor(),
    dial: dialTcp,
    authorize: onlyApiServer,
  });
  const handler: HttpHandler = (request) => {
    const endpoint = request.clientCertificate && network.endpoints[request.path];
    return endpoint === undefined ? agent.handler(request) : endpoint();
  };
  await serveAgent({ settings, ca, identity, handler, upgrade, figures: [network.figures], log }, tasks);
  tasks.start('node agent', (signal) => agent.run(signal));
};
