// The container engine as the node agent sees it: ten verbs over labelled containers. Implementations: host/docker,
// host/hollow (simulated). Everything an implementation makes carries its labels; it touches nothing else.
import type { Instant } from '../base/clock.js';

/** Bind of a host path into a container. */
export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  readonly propagation?: 'rprivate' | 'rslave' | 'rshared' | undefined;
}

/** A sandbox holds a pod's network (and is the pause container on Docker); applications join one. */
export type NetworkSpec =
  | {
      readonly type: 'pod';
      readonly address: string;
      /** The node's pod CIDR: the runtime makes the network for it on first use. */
      readonly subnet: string;
      readonly gateway: string;
      readonly hostname: string;
      readonly hostPorts: readonly HostPort[];
    }
  | { readonly type: 'host' }
  | { readonly type: 'join'; readonly sandbox: string };

export interface HostPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIP?: string | undefined;
}

/** A device of the host's that a container may use. */
export interface Device {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Of `r`, `w` and `m` (make). */
  readonly permissions: string;
}

/** Which system calls a container may make; `profile` is the engine's JSON. */
export type Seccomp =
  | { readonly type: 'Unconfined' | 'RuntimeDefault' }
  | { readonly type: 'Localhost'; readonly profile: string };

export interface ContainerSpec {
  /** Unique per engine; a create with a taken name answers with the container that has it. */
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the pod; a simulated engine behaves as they say, others ignore them. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly network: NetworkSpec;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly tmpfs?:
    readonly { readonly containerPath: string; readonly sizeBytes?: number | undefined }[] | undefined;
  readonly tty?: boolean | undefined;
  readonly stdin?: boolean | undefined;
  /** The first who attaches and leaves ends the input for good. */
  readonly stdinOnce?: boolean | undefined;
  /** Relative weight from the CPU request; 1024 is one core. */
  readonly cpuShares?: number | undefined;
  /** CPU limit in thousandths of a core. */
  readonly cpuMillis?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly oomScoreAdjust?: number | undefined;
  readonly user?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly privileged?: boolean | undefined;
  readonly readOnlyRoot?: boolean | undefined;
  readonly noNewPrivileges?: boolean | undefined;
  readonly capabilities?: { readonly add: readonly string[]; readonly drop: readonly string[] } | undefined;
  /** Absent: the engine's own profile. */
  readonly seccomp?: Seccomp | undefined;
  /** Name of a profile that the host has loaded, or `unconfined`; absent: the engine's own. */
  readonly appArmor?: string | undefined;
  /** Parts of the label that processes get where the host has SELinux, such as `level:s0:c1,c2`. */
  readonly selinux?: readonly string[] | undefined;
  /** What the engine hides of /proc is shown. */
  readonly unmaskedProc?: boolean | undefined;
  readonly devices?: readonly Device[] | undefined;
  /** Of a sandbox: kernel parameters of its namespaces. */
  readonly sysctls?: Readonly<Record<string, string>> | undefined;
  /** Name under which the engine knows another low-level runtime. */
  readonly runtimeHandler?: string | undefined;
  /** Instead of the image's, such as `SIGUSR1`. */
  readonly stopSignal?: string | undefined;
  /** Joins the processes of the sandbox too. */
  readonly shareProcesses?: boolean | undefined;
  /** Id of the container whose processes it joins. */
  readonly joinProcesses?: string | undefined;
  readonly hostPID?: boolean | undefined;
  readonly hostIPC?: boolean | undefined;
}

export interface Container {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'created' | 'running' | 'exited';
  readonly createdAt: Instant;
  readonly startedAt?: Instant | undefined;
  readonly finishedAt?: Instant | undefined;
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean | undefined;
  /** What the engine says of a start that failed. */
  readonly error?: string | undefined;
}

/** The first item of every stream is `ready`: a list that is read after it misses nothing. */
export type ContainerEvent =
  | { readonly type: 'ready' }
  | { readonly type: 'changed'; readonly container: Container }
  | { readonly type: 'removed'; readonly id: string };

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Lines from the end; absent means all. */
  readonly tail?: number | undefined;
  readonly since?: Instant | undefined;
  readonly limitBytes?: number | undefined;
}

export interface ExecOptions {
  readonly command: readonly string[];
  /** Joins the container's own process instead of running the command; its end is that of the container. */
  readonly attach?: boolean | undefined;
  readonly tty: boolean;
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  readonly resizes?: AsyncIterable<{ readonly width: number; readonly height: number }> | undefined;
}

export interface ExecSession {
  readonly output: AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }>;
  /** Resolves after the output has ended. */
  readonly exitCode: Promise<number>;
}

export interface Stats {
  /** Total CPU time, in nanoseconds. */
  readonly cpuNanos: number;
  /** Memory that cannot be reclaimed easily, in bytes. */
  readonly workingSetBytes: number;
  /** Written layer and log, in bytes; only where it was asked for. */
  readonly diskBytes?: number | undefined;
  readonly at: Instant;
}

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

/** What a registry asks for. */
export interface RegistryCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identityToken?: string | undefined;
  /** As the secret names the registry. */
  readonly server: string;
}

export interface PullRequest {
  readonly image: string;
  readonly policy: PullPolicy;
  /** Tried in order; without any, the registry is asked for what is public. */
  readonly credentials?: readonly RegistryCredentials[] | undefined;
  /** As in ContainerSpec. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface PulledImage {
  readonly imageId: string;
  /** False: it was there already. */
  readonly pulled: boolean;
  readonly sizeBytes?: number | undefined;
  /** User that the image names; '' for none. */
  readonly user?: string | undefined;
}

/**
 * Never more than ten verbs. All throw ClusterError: `ServiceUnavailable` when the engine is down, `NotFound` for a
 * container or image that does not exist, `Invalid` for what the engine refuses.
 */
export interface Runtime {
  /** Every container of this node, running or not. */
  list(signal: AbortSignal): Promise<readonly Container[]>;
  /** Makes the image present according to the policy. NotFound (with the engine's words) when it cannot be had. */
  pull(request: PullRequest, signal: AbortSignal): Promise<PulledImage>;
  create(spec: ContainerSpec, signal: AbortSignal): Promise<Container>;
  /** The container as it is right after its start. */
  start(id: string, signal: AbortSignal): Promise<Container>;
  /** SIGTERM, then SIGKILL after `graceSeconds`; resolves with the container when it has exited. */
  stop(id: string, graceSeconds: number, signal: AbortSignal): Promise<Container>;
  /** Removes a container, killing it if it runs; no error when it is gone already. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  /** Lines of both streams, in order, as the container wrote them. */
  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  exec(id: string, options: ExecOptions, signal: AbortSignal): Promise<ExecSession>;
  /** `disk`: what it wrote too, which takes a look at every file. */
  stats(id: string, options: { readonly disk: boolean }, signal: AbortSignal): Promise<Stats>;
  /** From now on; ends with ServiceUnavailable when the engine goes away: list again, then watch again. */
  events(signal: AbortSignal): AsyncIterable<ContainerEvent>;
}
