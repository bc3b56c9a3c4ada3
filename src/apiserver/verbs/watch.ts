// What happens to the objects of a selection, from a revision on: nothing missed, nothing twice.
import type { Clock } from '../../base/clock.js';
import { isAbort } from '../../base/abort.js';
import type { Kind } from '../../resources/kind.js';
import type { Change, Revision, Store } from '../../store/store.js';
import { Compacted } from '../../store/store.js';
import type { StoredEntries } from '../stored-entries.js';
import type { Stored, WatchItem, WatchQuery } from '../registry.js';
import type { VerbContext } from './context.js';
import { expired, tooNew } from './rejections.js';
import { revisionOf } from './resource-version.js';
import { selectionOf } from './selection.js';
import type { Selection } from './selection.js';

/** How often an idle watch says how far it has come, so that a client can resume after compaction; milliseconds. */
const bookmarkInterval = 60_000;

/**
 * Between noting the newest revision and naming it in a bookmark, in milliseconds: whatever was committed up to then
 * has reached a reader that is still waiting, since the store hands changes over when it makes them visible.
 */
const handOver = 50;

interface Begin {
  readonly initial: readonly Stored[];
  /** Changes after this revision follow. */
  readonly revision: Revision;
  readonly initialEventsEnd: boolean;
}

const beginOf = (context: VerbContext, selection: Selection, query: WatchQuery): Begin => {
  const { store, entries } = context;
  const asked = revisionOf(query.resourceVersion);
  const fresh = asked === undefined || asked === 0;
  if (!fresh && asked > store.revision) throw tooNew(asked, store.revision);
  if (query.sendInitialEvents === false && fresh)
    return { initial: [], revision: store.revision, initialEventsEnd: false };
  if (!fresh && query.sendInitialEvents !== true)
    return { initial: [], revision: asked, initialEventsEnd: false };
  const page = store.list(selection.prefix);
  const initial: Stored[] = [];
  for (const entry of page.entries) {
    const stored = entries.of(entry);
    if (selection.includes(entry, () => stored)) initial.push(stored);
  }
  return { initial, revision: page.revision, initialEventsEnd: query.sendInitialEvents === true };
};

/** The event of a change for one selection; undefined when the selection does not see it. */
const itemOf = (
  entries: StoredEntries,
  selection: Selection,
  change: Change,
): Exclude<WatchItem, { readonly type: 'BOOKMARK' }> | undefined => {
  const { entry, previous, revision } = change;
  const was = previous !== undefined && selection.includes(previous, () => entries.of(previous));
  const is = entry !== undefined && selection.includes(entry, () => entries.of(entry));
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', stored: entries.of(entry) };
  return was ? { type: 'DELETED', stored: entries.departed(previous, revision) } : undefined;
};

type Arrival =
  | { readonly type: 'change'; readonly change: Change }
  | { readonly type: 'quiet'; readonly upTo: Revision }
  | { readonly type: 'end' };

/** Reads changes one at a time and lets a note of quiet in between only while it waits. */
class ChangeReader {
  readonly #changes: AsyncIterator<Change>;
  #reading = false;
  #arrived: Arrival | { readonly type: 'failure'; readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(changes: AsyncIterator<Change>) {
    this.#changes = changes;
  }

  /** Nothing has happened up to this revision that has not been read. Ignored unless the reader waits. */
  quiet(upTo: Revision): void {
    if (this.#wake === undefined || this.#arrived !== undefined) return;
    this.#arrived = { type: 'quiet', upTo };
    this.#wake();
  }

  async next(): Promise<Arrival> {
    if (!this.#reading) this.#read();
    if (this.#arrived === undefined)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#wake = undefined;
    const arrived = this.#arrived ?? { type: 'end' as const };
    this.#arrived = undefined;
    if (arrived.type === 'failure') throw arrived.error;
    return arrived;
  }

  async close(): Promise<void> {
    await this.#changes.return?.();
  }

  #read(): void {
    this.#reading = true;
    this.#changes.next().then(
      (result) => {
        this.#arrive(result.done === true ? { type: 'end' } : { type: 'change', change: result.value });
      },
      (error: unknown) => {
        this.#arrive({ type: 'failure', error });
      },
    );
  }

  #arrive(arrival: Arrival | { readonly type: 'failure'; readonly error: unknown }): void {
    this.#reading = false;
    this.#arrived = arrival;
    this.#wake?.();
  }
}

const noteQuiet = async (
  reader: ChangeReader,
  { clock, store }: { readonly clock: Clock; readonly store: Store },
  signal: AbortSignal,
): Promise<void> => {
  try {
    for (;;) {
      await clock.sleep(bookmarkInterval, signal);
      const { revision } = store;
      await clock.sleep(handOver, signal);
      reader.quiet(revision);
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
};

const bookmark = (revision: Revision): WatchItem => ({
  type: 'BOOKMARK',
  resourceVersion: String(revision),
});

/** The object of an item in the kind's own version. */
const itemInVersion = async (
  { entries }: VerbContext,
  kind: Kind,
  item: Exclude<WatchItem, { readonly type: 'BOOKMARK' }>,
): Promise<WatchItem> => {
  const [stored = item.stored] = await entries.inVersion(kind, [item.stored]);
  return { ...item, stored };
};

interface Feed {
  readonly kind: Kind;
  readonly begin: Begin;
  readonly selection: Selection;
  readonly reader: ChangeReader;
  readonly bookmarks: boolean;
}

async function* itemsOf(context: VerbContext, feed: Feed): AsyncGenerator<WatchItem, void> {
  const { kind, begin, selection, reader, bookmarks } = feed;
  const over = new AbortController();
  let reached = begin.revision;
  let told = begin.revision;
  try {
    for (const stored of await context.entries.inVersion(kind, begin.initial))
      yield { type: 'ADDED', stored };
    if (begin.initialEventsEnd)
      yield { type: 'BOOKMARK', resourceVersion: String(begin.revision), initialEventsEnd: true };
    if (bookmarks) void noteQuiet(reader, context, over.signal);
    for (;;) {
      const arrival = await reader.next();
      if (arrival.type === 'end') break;
      if (arrival.type === 'quiet') {
        reached = Math.max(reached, arrival.upTo);
        told = reached;
        yield bookmark(reached);
        continue;
      }
      reached = arrival.change.revision;
      const item = itemOf(context.entries, selection, arrival.change);
      if (item === undefined) continue;
      told = reached;
      yield kind.versions === undefined ? item : await itemInVersion(context, kind, item);
    }
    if (bookmarks && reached > told) yield bookmark(reached);
  } catch (error) {
    throw error instanceof Compacted ? tooOld(begin.revision, error) : error;
  } finally {
    over.abort();
    await reader.close();
  }
}

const tooOld = (asked: Revision, { oldest }: Compacted): Error =>
  expired(`too old resource version: ${String(asked)} (${String(oldest)})`);

/** A watch that rejects the first read. */
// eslint-disable-next-line @typescript-eslint/require-await -- an iterable that only fails
export async function* failing(error: unknown): AsyncGenerator<WatchItem, void> {
  throw error;
}

/** The watch is registered when this returns; what refuses it rejects the first read. */
export const watch = (
  context: VerbContext,
  kind: Kind,
  { query, signal }: { readonly query: WatchQuery; readonly signal: AbortSignal },
): AsyncIterable<WatchItem> => {
  try {
    const selection = selectionOf(kind, query);
    const begin = beginOf(context, selection, query);
    const changes = context.store.watch(selection.prefix, begin.revision, signal);
    const reader = new ChangeReader(changes[Symbol.asyncIterator]());
    return itemsOf(context, { kind, begin, selection, reader, bookmarks: query.allowBookmarks === true });
  } catch (error) {
    return failing(error);
  }
};
