// What an agent remembers of a pod beside what engine and API say: probe results and what failed. Losing it costs a
// probe or an early retry, never a restart.
import type { Instant } from '../base/clock.js';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ProbeMemory {
  /** The container that was probed; another one starts afresh. */
  readonly containerId: string;
  readonly lastAt: Instant;
  /** Last probe that counted towards a threshold. */
  readonly countedAt?: Instant | undefined;
  readonly attempts: number;
  readonly successes: number;
  readonly failures: number;
  /** Undefined until a threshold was reached. */
  readonly result?: boolean | undefined;
}

export interface Failure {
  /** The reason that the container's status shows, such as `ErrImagePull`. */
  readonly reason: string;
  readonly message: string;
  readonly at: Instant;
  /** In a row. */
  readonly failures: number;
  /** Of the container whose start failed; another specification is tried at once. */
  readonly specHash: string;
}

export interface ContainerMemory {
  readonly failure?: Failure | undefined;
  readonly probes: Readonly<Partial<Record<ProbeKind, ProbeMemory>>>;
  readonly postStart?: { readonly containerId: string; readonly done: boolean } | undefined;
  /** Last words by container id. */
  readonly lastWords?: Readonly<Record<string, string>> | undefined;
}

export interface VolumesMemory {
  /** As volumesVersion gave it when they were set up. */
  readonly version?: string | undefined;
  readonly paths: Readonly<Record<string, string>>;
  readonly failure?:
    | { readonly message: string; readonly at: Instant; readonly failures: number; readonly version: string }
    | undefined;
}

export interface PodMemory {
  readonly containers: Readonly<Record<string, ContainerMemory>>;
  readonly volumes: VolumesMemory;
  readonly sandboxFailure?:
    { readonly message: string; readonly at: Instant; readonly failures: number } | undefined;
  /** Why the node ends it for good. */
  readonly eviction?: { readonly reason: string; readonly message: string } | undefined;
  /** Its object has been deleted for good by this agent. */
  readonly finished?: boolean | undefined;
  /** When this agent first saw the pod. */
  readonly seenAt: Instant;
}

export const emptyMemory = (seenAt: Instant): PodMemory => ({
  containers: {},
  volumes: { paths: {} },
  seenAt,
});

const none: ContainerMemory = { probes: {} };

export const containerMemory = (memory: PodMemory, name: string): ContainerMemory =>
  memory.containers[name] ?? none;

export const withContainer = (
  memory: PodMemory,
  name: string,
  change: (container: ContainerMemory) => ContainerMemory,
): PodMemory => ({
  ...memory,
  containers: { ...memory.containers, [name]: change(containerMemory(memory, name)) },
});
