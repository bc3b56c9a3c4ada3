// A watch as a stream of JSON lines. The line of an event is made once and shared by everyone who watches it.
import { apiVersionOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import { messageOf } from '../base/errors.js';
import { isAbort } from '../base/abort.js';
import type { Form } from './negotiate.js';
import type { Stored, WatchItem } from './registry.js';
import { utf8 } from './respond.js';
import { asClusterError, statusOf } from './status-error.js';
import { columnsOf, partialMetadata, tableChunks } from './tables.js';
import type { IncludeObject } from './tables.js';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

const lineEnd = utf8('}\n');
const lineStarts: Readonly<Record<EventType, Uint8Array>> = {
  ADDED: utf8('{"type":"ADDED","object":'),
  MODIFIED: utf8('{"type":"MODIFIED","object":'),
  DELETED: utf8('{"type":"DELETED","object":'),
};

/** Watchers of one event are told within moments of each other, so few lines need to be kept. */
const keptLines = 256;

/** The newest lines by what they tell of; one belongs to each API server. */
export class WatchLines {
  readonly #lines = new Map<Stored, Partial<Record<EventType, Uint8Array>>>();

  of(type: EventType, stored: Stored): Uint8Array {
    const known = this.#lines.get(stored);
    const line = known?.[type];
    if (line !== undefined) return line;
    const made = Buffer.concat([lineStarts[type], stored.bytes, lineEnd]);
    if (known === undefined) this.#keep(stored, { [type]: made });
    else known[type] = made;
    return made;
  }

  #keep(stored: Stored, lines: Partial<Record<EventType, Uint8Array>>): void {
    this.#lines.set(stored, lines);
    if (this.#lines.size <= keptLines) return;
    const [oldest] = this.#lines.keys();
    if (oldest !== undefined) this.#lines.delete(oldest);
  }
}

export interface WatchFormat {
  readonly kind: Kind;
  readonly form: Form;
  readonly include: IncludeObject;
  now(): number;
}

const bookmarkObject = (
  { kind, form }: WatchFormat,
  item: Extract<WatchItem, { type: 'BOOKMARK' }>,
): unknown => {
  const metadata = {
    resourceVersion: item.resourceVersion,
    creationTimestamp: null,
    ...(item.initialEventsEnd === true ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
  if (form.as === 'metadata')
    return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.version}`, metadata };
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
};

/** Makes the lines of one watch; only the first Table of a watch carries the column definitions. */
const lineMaker = (format: WatchFormat, lines: WatchLines): ((item: WatchItem) => Uint8Array) => {
  const { form, kind, include } = format;
  const columns = columnsOf(kind);
  let headers = true;
  const tableLine = (type: string, items: readonly Stored[], resourceVersion: string): Uint8Array => {
    const options = { version: form.version, include, now: format.now(), headers };
    headers = false;
    return Buffer.concat([
      utf8(`{"type":"${type}","object":`),
      ...tableChunks(columns, { items, resourceVersion }, options),
      lineEnd,
    ]);
  };
  return (item) => {
    if (item.type === 'BOOKMARK')
      return form.as === 'table'
        ? tableLine('BOOKMARK', [], item.resourceVersion)
        : utf8(`${JSON.stringify({ type: 'BOOKMARK', object: bookmarkObject(format, item) })}\n`);
    const { type, stored } = item;
    if (form.as === 'object') return lines.of(type, stored);
    if (form.as === 'table') return tableLine(type, [stored], stored.object.metadata.resourceVersion);
    return utf8(`${JSON.stringify({ type, object: partialMetadata(stored.object, form.version) })}\n`);
  };
};

const errorLine = (error: unknown): Uint8Array =>
  utf8(`${JSON.stringify({ type: 'ERROR', object: statusOf(asClusterError(error)) })}\n`);

/** Turns of the microtask queue after which a watch that has not failed counts as begun. */
const patience = 16;

/**
 * Begins the watch: rejects with what refuses it at once (a bad selector, a revision that is gone), so that the answer
 * can still be a Status with its own HTTP code; later errors become ERROR events.
 */
export const watchStream = async (
  items: AsyncIterable<WatchItem>,
  format: WatchFormat,
  {
    lines,
    signal,
    onError,
  }: {
    readonly lines: WatchLines;
    readonly signal: AbortSignal;
    readonly onError: (message: string) => void;
  },
): Promise<AsyncIterable<Uint8Array>> => {
  const iterator = items[Symbol.asyncIterator]();
  const first = iterator.next();
  const refusals: unknown[] = [];
  first.catch((error: unknown) => {
    refusals.push(error);
  });
  for (let turn = 0; turn < patience; turn++) await Promise.resolve();
  if (refusals.length > 0) throw refusals[0];

  const toLine = lineMaker(format, lines);
  return (async function* () {
    try {
      for (let next = await first; next.done !== true; next = await iterator.next()) yield toLine(next.value);
    } catch (error) {
      if (isAbort(error, signal)) return;
      const clusterError = asClusterError(error);
      if (clusterError.code === 'InternalError') onError(messageOf(error));
      yield errorLine(error);
    } finally {
      await iterator.return?.();
    }
  })();
};
