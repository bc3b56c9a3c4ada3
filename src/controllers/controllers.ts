// Every controller of the master: a new one is a file and a line here.
import type { Clock } from '../base/clock.js';
import type { AddressSpan } from '../base/ipv4.js';
import type { Cluster } from '../client/cluster.js';
import type { Informers } from '../client/informers.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { ExpectingExecutor } from '../reconcile/expectation.js';
import { runnable } from '../reconcile/runnable.js';
import type { Runnable } from '../reconcile/runnable.js';
import type { Kinds } from '../resources/kind-source.js';
import { kinds as builtIn } from '../resources/kinds.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import { leases } from '../resources/kinds/leases.js';
import { clusterDnsController } from './cluster-dns.js';
import { bootstrapSigner } from './bootstrap-tokens/bootstrap-signer.js';
import { tokenCleaner } from './bootstrap-tokens/token-cleaner.js';
import { createApprover, type RequestAccess } from './certificates/approver.js';
import { requestCleaner } from './certificates/cleaner.js';
import { createSignerExecutor, signerController, type SignCertificate } from './certificates/signer.js';
import { createCustomDefinitionController } from './custom-definitions.js';
import { cronJobController } from './cronjob/cronjob.js';
import { daemonSetController } from './daemonset/daemonset.js';
import { deploymentController } from './deployment/deployment.js';
import { disruptionController } from './disruption/disruption.js';
import { endpointsController } from './endpoints/endpoints.js';
import { createEventTtlController } from './event-ttl.js';
import { createGarbageCollector } from './garbage-collector.js';
import { createGuardedExecutor } from './guarded-executor.js';
import { createNamespaceDefaultsController } from './namespace-defaults.js';
import { createNamespaceController } from './namespace.js';
import { jobController } from './job/job.js';
import { trackedPodController } from './job/tracked-pods.js';
import { createLeavingController } from './leaving/leaving.js';
import { ProxyLog } from './leaving/proxy-log.js';
import { createLoadBalancerController } from './load-balancer.js';
import { HeartbeatLog } from './nodes/heartbeats.js';
import { createNodeIpamController } from './nodes/node-ipam.js';
import { createNodeLifecycleController, defaultGraceMs } from './nodes/node-lifecycle.js';
import { taintEvictionController } from './nodes/taint-eviction.js';
import { createEndedPodController, orphanedPodController } from './pod-gc.js';
import {
  createTokenSecretController,
  createTokenSecretExecutor,
  type SignToken,
} from './service-accounts/token-secrets.js';
import { replicaSetController } from './replicaset/replicaset.js';
import { claimController } from './storage/claims.js';
import { ephemeralClaimController } from './storage/ephemeral-claims.js';
import { volumeController } from './storage/volumes.js';
import { replicationControllerController } from './replicaset/replicationcontroller.js';
import { statefulSetController } from './statefulset/statefulset.js';

/** With which a controller writes: as someone, with someone's rights. */
export interface Hands {
  readonly cluster: Cluster;
  readonly executor: ExpectingExecutor<ClusterAction>;
}

export interface ControllersOptions {
  readonly cluster: Cluster;
  /** Must watch all of `kinds`. */
  readonly informers: Informers;
  readonly executor: ExpectingExecutor<ClusterAction>;
  readonly clock: Clock;
  /** All kinds of the cluster. */
  readonly kinds: Kinds;
  /** Such as 10.244.0.0/16; each node gets a /24 of it. */
  readonly podCidr: string;
  /** Addresses for Services of type LoadBalancer; without it they stay pending. */
  readonly loadBalancerPool?: readonly AddressSpan[] | undefined;
  /** PEM of the cluster's authority, for `kube-root-ca.crt` in every namespace. */
  readonly rootCertificate?: string | undefined;
  /** The authority's part of certificates that are asked for; without it none are approved or signed. */
  readonly certificates?: { readonly access: RequestAccess; readonly sign: SignCertificate } | undefined;
  /** Signs the tokens of Secrets; without it those are not filled. */
  readonly signToken?: SignToken | undefined;
  /** Hands of other identities; those above where one is absent. */
  readonly hands?: {
    /** Of what cleans up behind objects of every kind. */
    readonly sweeper: Hands;
    readonly certificates: Hands;
    readonly tokens: Hands;
  };
  /** Silence in milliseconds after which a node is unreachable. */
  readonly nodeGraceMs?: number | undefined;
}

/** Throws Invalid for a pod network that is none. Subscribes to Leases, for as long as the informers live. */
export const createControllers = (options: ControllersOptions): readonly Runnable[] => {
  const { cluster, informers, executor, clock, kinds, nodeGraceMs: graceMs = defaultGraceMs } = options;
  const { certificates, signToken } = options;
  const own: Hands = { cluster, executor };
  const {
    sweeper,
    certificates: trust,
    tokens,
  } = options.hands ?? { sweeper: own, certificates: own, tokens: own };
  const guarded = createGuardedExecutor(sweeper.cluster, sweeper.executor);
  const heartbeats = new HeartbeatLog(clock, graceMs);
  informers.subscribe(leases, heartbeats.note);
  const proxies = new ProxyLog(clock);
  informers.subscribe(leases, proxies.noteLease);
  informers.subscribe(endpointslices, proxies.noteSlice);
  return [
    runnable(deploymentController, executor, { width: 32 }),
    runnable(replicaSetController, executor, { width: 32 }),
    runnable(replicationControllerController, executor, { width: 16 }),
    runnable(daemonSetController, executor, { width: 16 }),
    runnable(statefulSetController, executor, { width: 16 }),
    runnable(jobController, executor, { width: 32 }),
    runnable(trackedPodController, executor, { width: 32 }),
    runnable(cronJobController, executor),
    runnable(disruptionController, executor),
    runnable(claimController, executor, { width: 16 }),
    runnable(volumeController, guarded, { width: 16 }),
    runnable(ephemeralClaimController, executor),
    runnable(endpointsController, executor, { width: 16 }),
    runnable(createLeavingController(proxies), executor, { width: 32 }),
    ...(options.loadBalancerPool === undefined
      ? []
      : [runnable(createLoadBalancerController(options.loadBalancerPool), executor, { width: 1 })]),
    runnable(clusterDnsController, executor),
    runnable(createNodeLifecycleController({ heartbeats, graceMs }), executor),
    runnable(taintEvictionController, executor, { width: 32 }),
    runnable(createNodeIpamController(options.podCidr), executor, { width: 1 }),
    runnable(createNamespaceController(kinds), guarded),
    runnable(createCustomDefinitionController(builtIn), guarded),
    runnable(createNamespaceDefaultsController(options.rootCertificate), executor),
    runnable(createGarbageCollector(kinds), guarded, { width: 32 }),
    runnable(orphanedPodController, guarded),
    runnable(createEndedPodController(), executor, { width: 1 }),
    runnable(createEventTtlController(), executor, { width: 16 }),
    runnable(tokenCleaner, tokens.executor, { width: 1 }),
    runnable(bootstrapSigner, tokens.executor, { width: 1 }),
    runnable(requestCleaner, trust.executor, { width: 1 }),
    ...(signToken === undefined
      ? []
      : [
          runnable(
            createTokenSecretController(options.rootCertificate),
            createTokenSecretExecutor(tokens.cluster, signToken, tokens.executor),
          ),
        ]),
    ...(certificates === undefined
      ? []
      : [
          runnable(createApprover(certificates.access), trust.executor, { width: 1 }),
          runnable(signerController, createSignerExecutor(trust.cluster, certificates.sign, trust.executor)),
        ]),
  ];
};
