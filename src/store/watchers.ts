// Who watches what: finds the watchers of a key by the key's own segments, never by asking every watcher.
import type { Change, Revision } from './store.js';
import { Watcher } from './watcher.js';
import type { WatchLimits } from './watcher.js';

type Prefixes = Map<string, Set<Watcher>>;

/**
 * Prefixes by the folder they lie in (everything up to their last slash) and by their length, so that a change
 * costs one look-up per folder of its key and per length in use there, however many watchers there are.
 */
type Folder = Map<number, Prefixes>;

const folderOf = (prefix: string): string => prefix.slice(0, prefix.lastIndexOf('/') + 1);

export interface WatchRequest {
  readonly prefix: string;
  readonly after: Revision;
  readonly backlog: readonly Change[];
  readonly signal: AbortSignal;
}

export class Watchers {
  readonly #folders = new Map<string, Folder>();
  /** One abort listener per signal, however many watches share it. */
  readonly #bySignal = new Map<AbortSignal, { readonly watchers: Set<Watcher>; onAbort(): void }>();
  readonly #limits: WatchLimits;
  #size = 0;

  constructor(limits: WatchLimits) {
    this.#limits = limits;
  }

  /** Watchers that are registered. */
  get size(): number {
    return this.#size;
  }

  open({ prefix, after, backlog, signal }: WatchRequest): Watcher {
    const watcher: Watcher = new Watcher({
      prefix,
      after,
      backlog,
      limits: this.#limits,
      onClose: () => {
        this.#remove(watcher, signal);
      },
    });
    this.#add(watcher, signal);
    if (signal.aborted) watcher.close();
    return watcher;
  }

  dispatch(change: Change, oldest: Revision): void {
    if (this.#size === 0) return;
    const { key } = change;
    this.#dispatchIn('', change, oldest);
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1))
      this.#dispatchIn(key.slice(0, slash + 1), change, oldest);
  }

  /** Ends every watch after what waits to be read. */
  finishAll(): void {
    for (const { watchers } of [...this.#bySignal.values()])
      for (const watcher of [...watchers]) watcher.finish();
  }

  #dispatchIn(path: string, change: Change, oldest: Revision): void {
    const folder = this.#folders.get(path);
    if (folder === undefined) return;
    for (const [length, prefixes] of folder) {
      if (length > change.key.length) continue;
      const watchers = prefixes.get(length === path.length ? path : change.key.slice(0, length));
      if (watchers === undefined) continue;
      for (const watcher of watchers) watcher.push(change, oldest);
    }
  }

  #add(watcher: Watcher, signal: AbortSignal): void {
    const path = folderOf(watcher.prefix);
    const folder: Folder = this.#folders.get(path) ?? new Map<number, Prefixes>();
    this.#folders.set(path, folder);
    const prefixes: Prefixes = folder.get(watcher.prefix.length) ?? new Map<string, Set<Watcher>>();
    folder.set(watcher.prefix.length, prefixes);
    const watchers = prefixes.get(watcher.prefix) ?? new Set<Watcher>();
    prefixes.set(watcher.prefix, watchers.add(watcher));
    this.#size += 1;
    this.#listen(watcher, signal);
  }

  #remove(watcher: Watcher, signal: AbortSignal): void {
    const path = folderOf(watcher.prefix);
    const folder = this.#folders.get(path);
    const prefixes = folder?.get(watcher.prefix.length);
    const watchers = prefixes?.get(watcher.prefix);
    if (watchers?.delete(watcher) === true) this.#size -= 1;
    if (watchers?.size === 0) prefixes?.delete(watcher.prefix);
    if (prefixes?.size === 0) folder?.delete(watcher.prefix.length);
    if (folder?.size === 0) this.#folders.delete(path);
    this.#unlisten(watcher, signal);
  }

  #listen(watcher: Watcher, signal: AbortSignal): void {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) {
      known.watchers.add(watcher);
      return;
    }
    const watchers = new Set([watcher]);
    const onAbort = (): void => {
      for (const each of [...watchers]) each.close();
    };
    this.#bySignal.set(signal, { watchers, onAbort });
    signal.addEventListener('abort', onAbort, { once: true });
  }

  #unlisten(watcher: Watcher, signal: AbortSignal): void {
    const known = this.#bySignal.get(signal);
    if (known === undefined) return;
    known.watchers.delete(watcher);
    if (known.watchers.size > 0) return;
    this.#bySignal.delete(signal);
    signal.removeEventListener('abort', known.onAbort);
  }
}
