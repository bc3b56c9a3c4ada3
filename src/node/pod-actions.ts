// What an agent may do for a pod, as data. `operation` names what is under way: one operation of a name at a time.
import type { Container as ContainerTemplate, LifecycleHandler } from '../resources/generated/types.js';
import type { ProbeKind } from './pod-memory.js';
import type { Container } from './runtime.js';

export type PodAction =
  | { readonly type: 'prepareVolumes'; readonly operation: 'volumes'; readonly version: string }
  | { readonly type: 'createSandbox'; readonly operation: 'sandbox'; readonly attempt: number }
  | {
      readonly type: 'startContainer';
      readonly operation: string;
      readonly container: ContainerTemplate;
      readonly attempt: number;
      readonly crashes: number;
      /** Undefined in the host's network. */
      readonly sandbox: Container | undefined;
      readonly specHash: string;
    }
  | {
      readonly type: 'stopContainer';
      readonly operation: string;
      readonly id: string;
      readonly container: string;
      readonly graceSeconds: number;
      readonly message: string;
      readonly preStop?: LifecycleHandler | undefined;
    }
  | { readonly type: 'kill'; readonly operation: string; readonly id: string }
  | { readonly type: 'remove'; readonly operation: string; readonly id: string }
  | {
      readonly type: 'probe';
      readonly operation: string;
      readonly kind: ProbeKind;
      readonly container: ContainerTemplate;
      readonly id: string;
    }
  | {
      readonly type: 'readLastWords';
      readonly operation: string;
      readonly container: ContainerTemplate;
      readonly ended: Container;
    }
  | { readonly type: 'finish'; readonly operation: 'finish' }
  /** Gives up what is under way and no longer wanted. */
  | { readonly type: 'cancel'; readonly operation: string; readonly cancels: string };

/** Told once while it holds; again after it did not hold in between. */
export interface Announcement {
  readonly id: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}
