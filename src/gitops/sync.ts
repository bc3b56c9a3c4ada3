// Carries a plan out: kind after kind, the objects of one kind side by side.
import { hasCode, messageOf } from '../base/errors.js';
import type { Cluster } from '../client/cluster.js';
import { BREAK_GLASS_ANNOTATION, breakGlassOf, REASON_ANNOTATION } from '../resources/break-glass.js';
import type { Resource } from '../resources/resource.js';
import { appliedObject } from './applied-object.js';
import type { ApplicationSpec } from './cluster-config.js';
import { rankOf } from './kind-order.js';
import { FIELD_MANAGER } from './ownership.js';
import type { Change } from './plan.js';
import type { DesiredObject } from './render.js';

export interface SyncOptions {
  readonly cluster: Pick<Cluster, 'apply' | 'delete' | 'patch'>;
  readonly spec: Pick<ApplicationSpec, 'name' | 'ignoreDifferences'>;
  /** Called with each object as it was written. */
  applied(desired: DesiredObject, result: Resource): void;
  readonly signal: AbortSignal;
}

export interface SyncFailure {
  readonly change: Change;
  readonly error: unknown;
}

/** What Git says stands again: the record of the change past it goes with the change. */
const mended = ({ kind, name }: Change, cluster: SyncOptions['cluster']): Promise<Resource> => {
  const annotations = { [BREAK_GLASS_ANNOTATION]: null, [REASON_ANNOTATION]: null };
  return cluster.patch(kind, name, { type: 'merge', patch: { metadata: { annotations } } });
};

const carryOut = async (change: Change, { cluster, spec, applied }: SyncOptions): Promise<void> => {
  if (change.action === 'delete') {
    try {
      await cluster.delete(change.kind, change.name, {
        propagationPolicy: 'Background',
        preconditions: { uid: change.live.metadata.uid },
      });
    } catch (error) {
      // Gone already, or replaced by another object that is not this application's: either way it is not there.
      if (!hasCode(error, 'NotFound', 'Conflict')) throw error;
    }
    return;
  }
  const live = change.action === 'update' ? change.live : undefined;
  const draft = appliedObject(change.desired, spec, live);
  const written = await cluster.apply(change.kind, draft, { fieldManager: FIELD_MANAGER, force: true });
  applied(change.desired, breakGlassOf(written) === undefined ? written : await mended(change, cluster));
};

const waves = (changes: readonly Change[]): readonly (readonly Change[])[] => {
  const found: Change[][] = [];
  let key: string | undefined;
  for (const change of changes) {
    const next = `${change.action === 'delete' ? 'delete' : 'apply'} ${String(rankOf(change.kind))}`;
    if (next !== key) found.push([]);
    key = next;
    found.at(-1)?.push(change);
  }
  return found;
};

const width = 16;

/** Stops after the first wave with a failure: what comes later may need it. Throws only when the signal aborts. */
export const executePlan = async (
  changes: readonly Change[],
  options: SyncOptions,
): Promise<readonly SyncFailure[]> => {
  for (const wave of waves(changes)) {
    const failures: SyncFailure[] = [];
    const queue = wave.values();
    const worker = async (): Promise<void> => {
      for (const change of queue) {
        options.signal.throwIfAborted();
        try {
          await carryOut(change, options);
        } catch (error) {
          options.signal.throwIfAborted();
          failures.push({ change, error });
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(width, wave.length) }, worker));
    if (failures.length > 0) return failures;
  }
  return [];
};

/** A sentence that names the object, and the way out where one is known. */
export const failureText = ({ change, error }: SyncFailure): string => {
  const { kind, name } = change;
  const missingNamespace =
    name.namespace !== undefined && hasCode(error, 'NotFound') && change.action === 'create';
  const hint = missingNamespace
    ? `; is the Namespace ${name.namespace} in the repository, and does the application depend on the one that has it?`
    : '';
  return `${kind.kind} ${name.name}: ${messageOf(error)}${hint}`;
};
