// Where an agent learns what its node shall run: its pods, itself, and the objects that its pods refer to.
import type { Instant } from '../base/clock.js';
import type {
  ConfigMap,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Secret,
} from '../resources/generated/types.js';
import type { ObjectName } from '../resources/resource.js';

export interface Reference {
  readonly kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim' | 'PersistentVolume';
  /** '' for a PersistentVolume. */
  readonly namespace: string;
  readonly name: string;
}

/** `unknown` until it has been asked for and answered. */
export type Referenced<T> =
  | { readonly state: 'present'; readonly object: T }
  /** `because`: what the server said, where it did. */
  | { readonly state: 'absent'; readonly because?: string }
  | { readonly state: 'unknown' };

/** A token of a service account for one pod. */
export interface TokenQuery {
  readonly podUid: string;
  readonly podName: string;
  readonly namespace: string;
  readonly account: string;
  /** '' for the API server. */
  readonly audience: string;
  readonly expirationSeconds: number | undefined;
}

export interface PodToken {
  readonly token: string;
  readonly expires: Instant;
}

export interface References {
  configMap(namespace: string, name: string): Referenced<ConfigMap>;
  secret(namespace: string, name: string): Referenced<Secret>;
  claim(namespace: string, name: string): Referenced<PersistentVolumeClaim>;
  volume(name: string): Referenced<PersistentVolume>;
  /** Where it is missing, no tokens are given to pods. */
  token?(query: TokenQuery): Referenced<PodToken>;
}

export type SourceChange =
  | { readonly type: 'pod'; readonly pod: Pod; readonly gone: boolean }
  | { readonly type: 'reference'; readonly reference: Reference }
  | { readonly type: 'node' }
  /** A volume whose data is on this node. */
  | { readonly type: 'volume'; readonly volume: PersistentVolume };

export interface PodSource extends References {
  /** Resolves when `pods` is complete; rejects with the signal's reason when it aborts first. */
  ready(signal: AbortSignal): Promise<void>;
  /** Watches until the signal aborts; a source over a view that others keep has nothing to do. */
  run(signal: AbortSignal): Promise<void>;
  /** Pods bound to this node. */
  pods(): readonly Pod[];
  pod(name: ObjectName): Pod | undefined;
  node(): Node | undefined;
  /** Volumes whose data is on this node. */
  localVolumes(): readonly PersistentVolume[];
  /** What the pod refers to from now on; nothing when it is gone. */
  want(podUid: string, references: readonly Reference[]): void;
  /** Returns what ends the subscription. */
  subscribe(listener: (change: SourceChange) => void): () => void;
}

export const referenceKey = ({ kind, namespace, name }: Reference): string => `${kind}/${namespace}/${name}`;
