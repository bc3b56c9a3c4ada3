// The master, from the disk upwards: store, verbs, API server, informers, controllers, scheduler, Git loop.
import { admissionPlugins } from '../apiserver/admission/plugins.js';
import { bootstrap } from '../apiserver/bootstrap.js';
import { authorizedCluster } from '../apiserver/authorized-cluster.js';
import type { Registry } from '../apiserver/registry.js';
import { createAuthorizer, type Authorizer } from '../apiserver/authorize/authorizer.js';
import { authorizeStream } from '../apiserver/streams/authorize-stream.js';
import { createStreamHandler } from '../apiserver/streams/stream-handler.js';
import { KindCatalog } from '../apiserver/custom/kind-catalog.js';
import { createApiHandler } from '../apiserver/handler.js';
import { createLocalCluster } from '../apiserver/local-cluster.js';
import { startAutoscaler } from './autoscaling.js';
import { UsageReader } from '../apiserver/resource-metrics/usage-reader.js';
import { createRegistry, readsOf } from '../apiserver/store-registry.js';
import { conversionWebhook } from '../apiserver/webhooks/conversion.js';
import type { WebhookTransport } from '../apiserver/webhooks/webhook-transport.js';
import type { Clock } from '../base/clock.js';
import type { Extension, HttpHandler, Identity } from '../base/http.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import { createInformers, type Informers } from '../client/informers.js';
import { createControllers, type Hands } from '../controllers/controllers.js';
import { startHttpServer, type HttpServer } from '../host/http-server.js';
import { createNodeGateway, type HttpNodeGateway } from '../host/node-gateway.js';
import { createProxyTransport } from '../host/proxy-transport.js';
import { createWebhookTransport } from '../host/webhook-transport.js';
import { randomIds } from '../host/random-ids.js';
import { createClusterExecutor } from '../reconcile/cluster-executor.js';
import { DecisionLog } from '../reconcile/decision-log.js';
import { createEventRecorder, type RunningEventRecorder } from '../reconcile/event-recorder.js';
import { createLoop } from '../reconcile/loop.js';
import { sendMetricRequest } from '../host/metric-request.js';
import { createRolloutControllers } from '../rollouts/rollouts.js';
import { createScheduler } from '../scheduler/scheduler.js';
import { storedKinds } from '../resources/kind-source.js';
import type { KindSource } from '../resources/kind-source.js';
import { layer7StatusController } from '../network/layer7/status.js';
import { runnable, type Runnable } from '../reconcile/runnable.js';
import { kinds } from '../resources/kinds.js';
import { secrets } from '../resources/kinds/secrets.js';
import { compactByAge } from '../store/compactor.js';
import { MvccStore } from '../store/mvcc-store.js';
import type { EncryptingEngine } from '../store/at-rest/encrypting-engine.js';
import { authorityHash } from '../pki/certificate.js';
import type { Rotating } from '../pki/rotating.js';
import type { Store } from '../store/store.js';
import { encryptOlderData, rotateKeyEndpoint } from './at-rest.js';
import { backupEndpoint } from './backup/backup.js';
import type { Credentials } from './credentials.js';
import { createAuthentication, type Authentication } from './authentication.js';
import { certificateAuthority } from './certificate-authority.js';
import { dataDirectory } from './data-directory.js';
import { decisionsEndpoint } from './decisions-endpoint.js';
import { identities } from './identities.js';
import { networkEndpoint } from './network-check.js';
import { publishNetwork } from './network.js';
import { watchJoins } from './join-requests.js';
import { spansOf, type Settings } from './settings.js';
import { startSurroundings } from './surroundings.js';
import type { Tasks } from './tasks.js';

export interface MasterOptions {
  readonly settings: Settings;
  readonly engine: EncryptingEngine;
  readonly credentials: Rotating<Credentials>;
  /** At which other machines and pods reach the API server. */
  readonly address: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What answers beside the Kubernetes API. */
export interface Endpoints {
  /** For clients that have been authenticated. */
  readonly extensions: readonly Extension[];
  /** `POST /hooks/git`: a forge proves itself with its signature, not with a certificate. */
  readonly webhook: HttpHandler;
}

export interface Master {
  /** All that are served, custom ones included. */
  readonly kinds: KindSource;
  readonly informers: Informers;
  readonly decisions: DecisionLog;
  clusterAs(identity: Identity): Cluster;
  recorderFor(component: string, identity: Identity): RunningEventRecorder;
  /** Takes requests from now on. */
  listen(endpoints: Endpoints): Promise<HttpServer>;
}

const serverTls = ({ apiServer: { key, certificate }, ca }: Credentials) => ({ key, cert: certificate, ca });

const closeGraceMs = 2000;

/** History that a reconnecting watch may still ask for. */
const historyMs = 5 * 60 * 1000;

interface Parts {
  readonly store: Store;
  readonly authorizer: Authorizer;
  readonly authentication: Authentication;
  readonly catalog: KindCatalog;
  readonly tasks: Tasks;
  clusterAs(identity: Identity): Cluster;
  recorderFor(component: string, identity: Identity): RunningEventRecorder;
}

/** Versions of a rollout come with the ConfigMaps and Secrets of then, which other controllers may not write. */
const rolloutControllers = (
  { clusterAs, recorderFor }: Pick<Parts, 'clusterAs' | 'recorderFor'>,
  clock: Clock,
): readonly Runnable[] => {
  const who = identities.rollouts;
  const cluster = clusterAs(who);
  const events = recorderFor('capstan-rollouts', who);
  const executor = createClusterExecutor({ cluster, events, fieldManager: 'capstan-rollouts' });
  return createRolloutControllers({ cluster, executor, clock, send: sendMetricRequest });
};

/** Informers, then everything that decides on what they show. */
const startControlLoops = async (
  { settings, credentials, clock, log }: MasterOptions,
  { store, catalog, authorizer, authentication, tasks, clusterAs, recorderFor }: Parts,
): Promise<Pick<Master, 'informers' | 'decisions'>> => {
  const cluster = clusterAs(identities.controllers);
  await publishNetwork(cluster, settings);
  const informers = createInformers({
    cluster,
    kinds: storedKinds(kinds),
    follow: catalog,
    clock,
    log,
    random: randomIds.random,
  });
  const events = recorderFor('capstan-controllers', identities.controllers);
  const executor = createClusterExecutor({ cluster, events, fieldManager: 'capstan-controllers' });
  const hands = (identity: Identity): Hands => {
    const cluster = clusterAs(identity);
    return {
      cluster,
      executor: createClusterExecutor({ cluster, events, fieldManager: 'capstan-controllers' }),
    };
  };
  const decisions = new DecisionLog();
  const loop = createLoop({
    controllers: [
      ...createControllers({
        cluster,
        informers,
        executor,
        clock,
        kinds: catalog,
        podCidr: settings.podCidr,
        loadBalancerPool: spansOf(settings.loadBalancerPool),
        rootCertificate: credentials.current.ca,
        hands: {
          sweeper: hands(identities.sweeper),
          certificates: hands(identities.certificates),
          tokens: hands(identities.tokens),
        },
        signToken: (secret, account) => authentication.serviceAccounts.issueLegacy(secret, account),
        certificates: certificateAuthority({ settings, credentials, authorizer, clock }),
      }),
      runnable(layer7StatusController, executor, { width: 1 }),
      ...rolloutControllers({ clusterAs, recorderFor }, clock),
    ],
    informers,
    clock,
    log: log.child({ part: 'controllers' }),
    decisions,
  });

  const scheduler = createScheduler({
    informers,
    executor: createClusterExecutor({
      cluster: clusterAs(identities.scheduler),
      events: recorderFor('default-scheduler', identities.scheduler),
      fieldManager: 'capstan-scheduler',
    }),
    clock,
    log: log.child({ part: 'scheduler' }),
    decisions,
  });

  tasks.start('history', (signal) => compactByAge(store, { clock, keepMs: historyMs }, signal));
  tasks.start('informers', (signal) => informers.run(signal));
  await informers.ready(tasks.signal);
  informers.subscribe(secrets, ({ type, object }) => {
    if (type === 'deleted') authentication.bootstrapTokens.removed(object);
  });
  tasks.start('controllers', (signal) => loop.run(signal));
  tasks.start('scheduler', (signal) => scheduler.run(signal));
  return { informers, decisions };
};

interface ServingParts extends MasterOptions {
  readonly store: MvccStore;
  readonly registry: Registry;
  readonly catalog: KindCatalog;
  readonly authorizer: Authorizer;
  readonly authentication: Authentication;
  readonly gateway: HttpNodeGateway;
  readonly usage: UsageReader;
  readonly decisions: DecisionLog;
  readonly informers: Informers;
  readonly tasks: Tasks;
}

/** The API server's port, with everything that answers on it. */
const listen = async (parts: ServingParts, { extensions, webhook }: Endpoints): Promise<HttpServer> => {
  const { settings, engine, credentials, version, clock, log, tasks } = parts;
  const { store, registry, catalog, authorizer, authentication, gateway, usage, decisions, informers } =
    parts;
  const { authenticator, tokens } = authentication;
  const around = await startSurroundings({ settings, store, kinds, clock, log }, tasks);
  const proxy = { transport: createProxyTransport(gateway), random: randomIds.random };
  const api = createApiHandler({
    registry,
    kinds: catalog,
    clock,
    log: log.child({ part: 'api' }),
    version,
    nodeGateway: gateway,
    usage,
    proxy,
    authenticator,
    tokens,
    authorizer,
    surroundings: around.surroundings,
    extensions: [
      around.metrics,
      decisionsEndpoint(decisions),
      networkEndpoint(informers, gateway),
      rotateKeyEndpoint(store, engine),
      ...authentication.extensions,
      backupEndpoint({ store, engine, directory: dataDirectory(settings.dataDir), clock }),
      ...extensions,
    ],
  });
  const joins = {
    hash: () => authorityHash(credentials.current.ca),
    clock,
    log: log.child({ part: 'joining' }),
  };
  const joinable = watchJoins(joins, api);
  const server = await startHttpServer({
    host: '0.0.0.0',
    port: settings.apiPort,
    portFlag: '--api-port',
    tls: serverTls(credentials.current),
    upgrade: createStreamHandler({
      registry,
      authenticator,
      nodeGateway: gateway,
      log: log.child({ part: 'streams' }),
      clock,
      proxy,
      surroundings: around.surroundings,
      authorize: (identity, route, request) => authorizeStream(authorizer, { identity, route, request }),
    }),
    handler: (request) => (request.path === '/hooks/git' ? webhook(request) : joinable(request)),
    log,
  });
  credentials.subscribe((renewed) => server.renew(serverTls(renewed)));
  tasks.finally(() => server.close(closeGraceMs));
  return server;
};

/** The verbs over the store, and the kinds that they are for. */
const createVerbs = (
  { settings, clock, log }: MasterOptions,
  {
    store,
    authorizer,
    webhooks,
    lifetime,
  }: {
    readonly store: Store;
    readonly authorizer: Authorizer;
    readonly webhooks: WebhookTransport;
    readonly lifetime: AbortSignal;
  },
): { readonly catalog: KindCatalog; readonly registry: Registry } => {
  const client = { transport: webhooks, clock, lifetime, ids: randomIds };
  const convert = conversionWebhook({ ...client, reads: readsOf(store) });
  const catalog = new KindCatalog({ store, builtIn: kinds, lifetime, convert });
  const registry = createRegistry({
    store,
    kinds: catalog,
    clock,
    ids: randomIds,
    admission: admissionPlugins({
      store,
      serviceCidr: settings.serviceCidr,
      lifetime: lifetime,
      authorizer,
      guard: { clock },
      webhooks: { ...client, kinds: catalog },
      definitions: { builtIn: kinds, clock, refresh: (name) => catalog.refresh(name) },
      serviceAccountTokens: { ids: randomIds },
    }),
    log: log.child({ part: 'registry' }),
  });
  return { catalog, registry };
};

export const startMaster = async (options: MasterOptions, tasks: Tasks): Promise<Master> => {
  const { settings, engine, credentials, address, clock, log } = options;
  const store = new MvccStore(engine);
  tasks.finally(() => store.close());
  tasks.start('encryption at rest', () => encryptOlderData(store, engine, log));
  const authorizer = createAuthorizer({ store, lifetime: tasks.signal });
  const webhooks = createWebhookTransport();
  tasks.finally(() => webhooks.close());
  const { catalog, registry } = createVerbs(options, { store, authorizer, webhooks, lifetime: tasks.signal });
  await bootstrap(registry, {
    serviceCidr: settings.serviceCidr,
    apiPort: settings.apiPort,
    apiAddress: address,
    authority: credentials.current.ca,
  });
  const authentication = await createAuthentication({ settings, registry, address, clock, log });
  const clusterAs = (identity: Identity): Cluster =>
    authorizedCluster(createLocalCluster(registry, identity, authentication.tokens.issuer), {
      authorizer,
      identity,
    });
  const recorderFor = (component: string, identity: Identity): RunningEventRecorder => {
    const recorder = createEventRecorder({ cluster: clusterAs(identity), clock, log, component });
    tasks.start(`${component} events`, (signal) => recorder.run(signal));
    return recorder;
  };

  const { informers, decisions } = await startControlLoops(options, {
    store,
    authorizer,
    authentication,
    catalog,
    clusterAs,
    recorderFor,
    tasks,
  });

  const gateway = createNodeGateway(() => {
    const { ca, agentClient } = credentials.current;
    return { ca, cert: agentClient.certificate, key: agentClient.key };
  });
  tasks.finally(() => gateway.close());
  const usage = new UsageReader({ registry, meter: gateway, clock, log });
  const scaling = { informers, kinds: catalog, usage, clock, log, decisions };
  startAutoscaler({ ...scaling, cluster: clusterAs(identities.controllers), recorderFor }, tasks);
  return {
    kinds: catalog,
    informers,
    decisions,
    clusterAs,
    recorderFor,
    listen: (endpoints) =>
      listen(
        {
          ...options,
          store,
          registry,
          catalog,
          authorizer,
          authentication,
          gateway,
          usage,
          decisions,
          informers,
          tasks,
        },
        endpoints,
      ),
  };
};
