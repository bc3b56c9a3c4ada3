// What an operation may use of the pod that it works for.
import type { Pod } from '../resources/generated/types.js';
import type { NodeContext } from './node-context.js';
import type { PodMemory } from './pod-memory.js';

export interface PodScope {
  readonly node: NodeContext;
  /** As last seen. */
  pod(): Pod;
  memory(): PodMemory;
  /** `quiet`: nothing that the pod's status shows is changed by it. */
  update(change: (memory: PodMemory) => PodMemory, quiet?: boolean): void;
  tell(type: 'Normal' | 'Warning', reason: string, message: string): void;
}
