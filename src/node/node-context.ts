// What everything that works for the pods of one node shares.
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import type { DecisionLog } from '../reconcile/decision-log.js';
import type { Container as ContainerTemplate, Pod } from '../resources/generated/types.js';
import type { AddressPool } from './address-pool.js';
import type { ContainerTable } from './container-table.js';
import { environmentOf } from './environment.js';
import type { ApiService, Resolved } from './environment.js';
import type { PodPlace } from './field-value.js';
import type { NodeFiles } from './node-files.js';
import type { ClusterDns } from './pod-files.js';
import type { PodSource } from './pod-source.js';
import type { Prober } from './prober.js';
import type { Runtime } from './runtime.js';

export interface NodeContext {
  readonly cluster: Cluster;
  readonly source: PodSource;
  readonly runtime: Runtime;
  readonly files: NodeFiles;
  readonly prober: Prober;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly decisions?: DecisionLog | undefined;
  readonly pool: AddressPool;
  readonly table: ContainerTable;
  readonly nodeName: string;
  readonly hostIP: string;
  /** Pods end when the service proxies of the cluster have taken them out; false where there are none. */
  readonly waitsForProxies?: (() => boolean) | undefined;
  /** Where pods reach the API server; undefined while that is not known. */
  readonly apiService?: (() => ApiService | undefined) | undefined;
  /** How pods find names; undefined: as the node does. Waits until the cluster has said. */
  dns?(signal: AbortSignal): Promise<ClusterDns | undefined>;
  /** `docker`, `hollow`. */
  readonly engine: string;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly nodeMemory: number;
}

export const placeOf = (
  { hostIP, allocatable }: Pick<NodeContext, 'hostIP' | 'allocatable'>,
  podIP: string | undefined,
): PodPlace => ({ podIP, hostIP, allocatable });

export const resolveEnvironment = (
  node: NodeContext,
  pod: Pod,
  { container, podIP }: { readonly container: ContainerTemplate; readonly podIP: string | undefined },
): Resolved<Readonly<Record<string, string>>> =>
  environmentOf({
    pod,
    container,
    references: node.source,
    place: placeOf(node, podIP),
    apiService: node.apiService?.(),
  });
