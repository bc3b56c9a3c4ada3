// What the View will show once it has caught up with a write. A key is not decided again before that: a stale view
// must not do work twice.
import type { View } from '../client/view.js';
import type { Kind } from '../resources/kind.js';
import type { ObjectName, Resource } from '../resources/resource.js';
import type { Executor } from './controller.js';

export interface Expectation {
  /** The object whose change in the view is awaited. */
  readonly kind: Kind;
  readonly name: ObjectName;
  isMet(view: View): boolean;
}

/** An executor whose actions show in the View later. */
export interface ExpectingExecutor<Action> extends Executor<Action> {
  /** Like `execute`; undefined when nothing needs to be awaited. */
  perform(action: Action, signal: AbortSignal): Promise<Expectation | undefined>;
  /** After the action was refused because the view is stale (Conflict, AlreadyExists, NotFound): what to await. */
  refused(action: Action): Expectation | undefined;
  /** Whether an action may be carried out together with the one before it: many creations share one flush. */
  together(previous: Action, action: Action): boolean;
}

/** The view has seen this revision of the object, or a newer one, or another object of that name. */
export const expectSeen = (kind: Kind, written: Resource): Expectation => {
  const { name, namespace, uid, resourceVersion } = written.metadata;
  const revision = Number(resourceVersion);
  return {
    kind,
    name: { name, namespace },
    isMet: (view) => {
      const seen = view.get(kind, { name, namespace });
      return (
        seen !== undefined && (seen.metadata.uid !== uid || Number(seen.metadata.resourceVersion) >= revision)
      );
    },
  };
};

/** As `expectSeen`, of an object that existed before: what the view no longer shows is gone. */
export const expectSeenOrGone = (kind: Kind, written: Resource): Expectation => {
  const { name, isMet } = expectSeen(kind, written);
  return { kind, name, isMet: (view) => view.get(kind, name) === undefined || isMet(view) };
};

/** The view has seen that the object (with that uid, when given) is gone or going. */
export const expectGone = (kind: Kind, name: ObjectName, uid?: string): Expectation => ({
  kind,
  name,
  isMet: (view) => {
    const seen = view.get(kind, name);
    return (
      seen === undefined ||
      seen.metadata.deletionTimestamp !== undefined ||
      (uid !== undefined && seen.metadata.uid !== uid)
    );
  },
});

/** The view shows an object of that name. */
export const expectPresent = (kind: Kind, name: ObjectName): Expectation => ({
  kind,
  name,
  isMet: (view) => view.get(kind, name) !== undefined,
});

/** The view shows another revision than the one that the refused write was based on. */
export const expectNewer = (kind: Kind, name: ObjectName, than: string | undefined): Expectation => ({
  kind,
  name,
  isMet: (view) => view.get(kind, name)?.metadata.resourceVersion !== than,
});
