// The contract of admission: what may refuse a write, or complete it, after defaults and before validation.
import type { Identity } from '../../base/http.js';
import type { Kind } from '../../resources/kind.js';
import type { ObjectName, Resource } from '../../resources/resource.js';
import type { WritableSubresource } from '../registry.js';

/** The cluster as of now, for plugins that look at other objects. */
export interface AdmissionReads {
  get<T extends Resource>(kind: Kind<T>, name: ObjectName): T | undefined;
  /** All of one namespace, or of the cluster when it is undefined. */
  list<T extends Resource>(kind: Kind<T>, namespace: string | undefined): readonly T[];
}

interface Common {
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly identity: Identity;
  readonly reads: AdmissionReads;
  /** Nothing will be written: claim nothing. */
  readonly dryRun: boolean;
  readonly fieldManager?: string | undefined;
  /** Becomes a `Warning` header of the answer. */
  readonly warn?: ((message: string) => void) | undefined;
}

export type AdmissionRequest = Common &
  (
    | { readonly operation: 'create'; readonly object: Resource }
    | {
        readonly operation: 'update';
        readonly object: Resource;
        readonly old: Resource;
        readonly subresource: WritableSubresource | undefined;
      }
    | { readonly operation: 'delete'; readonly old: Resource }
  );

export interface Admitted {
  /** The object to go on with; absent when the plugin changed nothing. */
  readonly object?: Resource;
  /** Told once how the write ended, so that what was claimed for it can be let go. */
  settled?(committed: boolean): void;
}

export interface Admission {
  readonly name: string;
  /** `validate`: looks at the object as it will be written, after its kind has found it valid, and changes nothing. */
  readonly phase?: 'validate' | undefined;
  /** Throws ClusterError to refuse; undefined lets the write pass as it is. */
  admit(request: AdmissionRequest): Admitted | undefined | Promise<Admitted | undefined>;
}

export interface Admissible {
  readonly object: Resource;
  /** Tells all plugins that claimed something. */
  settle(committed: boolean): void;
}

/** Runs the plugins of a phase in order. Does not wait where no plugin does: what is claimed at once stays exact. */
export const admit = async (
  plugins: readonly Admission[],
  request: AdmissionRequest,
  phase?: Admission['phase'],
): Promise<Admissible> => {
  let current = request;
  const claims: Admitted[] = [];
  const settle = (committed: boolean): void => {
    for (const claim of claims) claim.settled?.(committed);
  };
  try {
    for (const plugin of plugins) {
      if (plugin.phase !== phase) continue;
      const answer = plugin.admit(current);
      const admitted = answer instanceof Promise ? await answer : answer;
      if (admitted === undefined) continue;
      if (admitted.settled !== undefined) claims.push(admitted);
      if (admitted.object !== undefined && current.operation !== 'delete')
        current = { ...current, object: admitted.object };
    }
  } catch (error) {
    settle(false);
    throw error;
  }
  return { object: current.operation === 'delete' ? current.old : current.object, settle };
};
