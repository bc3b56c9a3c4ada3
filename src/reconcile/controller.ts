// The contract of everything that decides: observe (reads) -> reconcile (pure) -> execute.
import type { Instant } from '../base/clock.js';
import type { ErrorCode } from '../base/errors.js';
import type { Index, View, ViewChange } from '../client/view.js';
import type { Kind } from '../resources/kind.js';
import type { ObjectName, Resource } from '../resources/resource.js';

/** What a controller is asked to look at: one object of its main kind, or whatever its triggers name. */
export type Key = ObjectName;

/** Which keys to look at again when an object of `kind` changes. */
export interface Trigger<T extends Resource = Resource> {
  readonly kind: Kind<T>;
  keys(change: ViewChange<T>, view: View): readonly Key[];
}

export interface Decision<Action> {
  readonly actions: readonly Action[];
  /** One sentence for people: why these actions, or why none. */
  readonly because: string;
  /** Look again at this time even when nothing changes. */
  readonly wakeAt?: Instant | undefined;
}

/** Why the last attempt at this key was refused; a stale view or a lost connection is no refusal. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  /** Attempts that failed in a row. */
  readonly attempts: number;
}

/** `observe` reads, `reconcile` is pure; neither waits, neither touches the world. */
export interface Controller<Observed, Action> {
  readonly name: string;
  /** The first one is of the kind that the keys name. */
  readonly watches: readonly Trigger[];
  /** Keys to look at again when an object of any kind changes, also of kinds that come later. */
  readonly watchesAll?: ((change: ViewChange, view: View) => readonly Key[]) | undefined;
  readonly indexes?: readonly Index[];
  /** Undefined: there is nothing to decide for this key (any more). */
  observe(view: View, key: Key): Observed | undefined;
  reconcile(observed: Observed, now: Instant, failure?: Failure): Decision<Action>;
}

/** Carries an action out; one each for the cluster, the container engine, the datapath. */
export interface Executor<Action> {
  execute(action: Action, signal: AbortSignal): Promise<void>;
}

/** The only way in for facts that are not objects in the cluster: git heads, metrics, container events. */
export interface Sensor<Fact> {
  facts(signal: AbortSignal): AsyncIterable<Fact>;
}

/** The last decision about an object, kept for `capstan why` and the dashboard. */
export interface DecisionRecord {
  readonly controller: string;
  readonly key: Key;
  readonly at: Instant;
  readonly because: string;
  readonly actions: number;
  readonly error?: string | undefined;
}
