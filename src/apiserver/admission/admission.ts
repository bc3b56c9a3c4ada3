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
  /** Throws ClusterError to refuse; undefined lets the write pass as it is. */
  admit(request: AdmissionRequest): Admitted | undefined;
}

/** Runs the plugins in order; `settle` tells all that claimed something. */
export const admit = (
  plugins: readonly Admission[],
  request: AdmissionRequest,
): { readonly object: Resource; settle(committed: boolean): void } => {
  let current = request;
  const claims: Admitted[] = [];
  const settle = (committed: boolean): void => {
    for (const claim of claims) claim.settled?.(committed);
  };
  try {
    for (const plugin of plugins) {
      const admitted = plugin.admit(current);
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
