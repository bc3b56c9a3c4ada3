// One factory per process: the kinds it watches, the View they fill, and who is told of changes.
import { aborted } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { resourceNameOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import type { KindSource } from '../resources/kind-source.js';
import type { Resource } from '../resources/resource.js';
import type { Cluster } from './cluster.js';
import { Followers } from './followers.js';
import { Informer } from './informer.js';
import type { Selection } from './informer.js';
import { LiveView } from './live-view.js';
import type { KindTable } from './live-view.js';
import type { Index, View, ViewChange } from './view.js';

/** A kind, or only those of its objects that the selection names (an agent watches `spec.nodeName=x`). */
export type WatchedKind = Kind | (Selection & { readonly of: Kind });

export interface InformersOptions {
  readonly cluster: Cluster;
  readonly kinds: readonly WatchedKind[];
  /** Kinds that come and go: all that are not among `kinds` are watched for as long as they are there. */
  readonly follow?: KindSource | undefined;
  /** Built with the first list; an index that is not named here is built when it is first looked up. */
  readonly indexes?: readonly Index[] | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

export type Listener<T extends Resource> = (change: ViewChange<T>) => void;

export interface Informers {
  readonly view: View;
  /** Watches until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when every kind has been listed once; rejects with the signal's reason when it aborts first. */
  ready(signal: AbortSignal): Promise<void>;
  /** True when the kind is among those that are watched. */
  watches(kind: Kind): boolean;
  /**
   * Calls with every change, in order, after the view shows it; what the view holds already comes first, as added.
   * Returns what ends the subscription.
   */
  subscribe<T extends Resource>(kind: Kind<T>, listener: Listener<T>): () => void;
  /** As `subscribe`, to every kind: those that are watched now and those that come later. */
  subscribeAll(listener: Listener<Resource>): () => void;
  /** Newest revision of the kind that the view is known to show. */
  revision(kind: Kind): number;
}

class Subscribers {
  readonly #listeners = new Map<KindTable, Set<Listener<Resource>>>();
  readonly #toAll = new Set<Listener<Resource>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(table: KindTable, listener: Listener<Resource>): () => void {
    const listeners = this.#listeners.get(table) ?? new Set();
    this.#listeners.set(table, listeners.add(listener));
    this.#show(table, listener);
    return () => listeners.delete(listener);
  }

  addToAll(tables: readonly KindTable[], listener: Listener<Resource>): () => void {
    this.#toAll.add(listener);
    for (const table of tables) this.#show(table, listener);
    return () => this.#toAll.delete(listener);
  }

  forget(table: KindTable): void {
    this.#listeners.delete(table);
  }

  publish(table: KindTable, change: ViewChange): void {
    for (const listener of this.#listeners.get(table) ?? []) this.#call(listener, change);
    for (const listener of this.#toAll) this.#call(listener, change);
  }

  #show(table: KindTable, listener: Listener<Resource>): void {
    for (const object of table.list())
      this.#call(listener, { kind: table.kind, type: 'added', object, previous: undefined });
  }

  /** One listener's mistake is not the watch's, nor the other listeners'. */
  #call(listener: Listener<Resource>, change: ViewChange): void {
    try {
      listener(change);
    } catch (error) {
      const { metadata } = change.object;
      this.#log.error(
        { kind: resourceNameOf(change.kind), name: metadata.name, namespace: metadata.namespace, error },
        `a listener failed: ${messageOf(error)}`,
      );
    }
  }
}

const kindOf = (watched: WatchedKind): Kind => ('of' in watched ? watched.of : watched);

const selectionOf = (watched: WatchedKind): Selection => {
  if (!('of' in watched)) return {};
  const { namespace, labelSelector, fieldSelector } = watched;
  return { namespace, labelSelector, fieldSelector };
};

export const createInformers = (options: InformersOptions): Informers => {
  const { cluster, kinds, indexes, clock, log, random, follow } = options;
  const view = new LiveView(kinds.map(kindOf));
  for (const index of indexes ?? []) if (view.has(index.kind)) view.table(index.kind).index(index);
  const subscribers = new Subscribers(log);
  const unlisted = new Set<string>();
  let announce: () => void = () => undefined;
  const complete = new Promise<void>((resolve) => {
    announce = resolve;
  });

  const listed = (kind: Kind): void => {
    unlisted.delete(resourceNameOf(kind));
    if (unlisted.size === 0) announce();
  };
  const informerOf = (table: KindTable, selection: Selection): Informer =>
    new Informer({
      cluster,
      table,
      selection,
      clock,
      log,
      random,
      publish: (change) => subscribers.publish(table, change),
      listed: () => listed(table.kind),
    });
  const informers = kinds.map((watched) => informerOf(view.table(kindOf(watched)), selectionOf(watched)));
  const followers =
    follow === undefined
      ? undefined
      : new Followers(follow, {
          fixed: new Set(kinds.map((watched) => resourceNameOf(kindOf(watched)))),
          start: (kind, signal) => informerOf(view.add(kind), {}).run(signal),
          gone: (kind) => {
            const table = view.table(kind);
            for (const change of table.replace([], table.revision)) subscribers.publish(table, change);
            subscribers.forget(table);
            view.remove(kind);
            listed(kind);
          },
        });
  for (const kind of [...kinds.map(kindOf), ...(followers?.kinds() ?? [])])
    unlisted.add(resourceNameOf(kind));
  if (unlisted.size === 0) announce();

  return {
    view,
    run: async (signal) => {
      // One signal each: they listen to it often, and there are many of them.
      const own = informers.map((informer) => ({ informer, end: new AbortController() }));
      const running = own.map(({ informer, end }) => informer.run(end.signal));
      const following = followers?.run(signal);
      await aborted(signal);
      for (const { end } of own) end.abort(signal.reason);
      await Promise.all([...running, following]);
    },
    ready: (signal) =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => reject(signal.reason as Error);
        if (signal.aborted) onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        void complete.then(() => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        });
      }),
    watches: (kind) => view.has(kind),
    subscribe: (kind, listener) => subscribers.add(view.table(kind), listener as Listener<Resource>),
    subscribeAll: (listener) => subscribers.addToAll(view.tables(), listener),
    revision: (kind) => (view.has(kind) ? view.table(kind).revision : 0),
  };
};
