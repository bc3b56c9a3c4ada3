// The body of a watch, one JSON event a line -> WatchEvents.
import { ClusterError, messageOf } from '../base/errors.js';
import { isObject } from '../base/json.js';
import type { Resource } from '../resources/resource.js';
import type { WatchEvent } from './cluster.js';
import { errorOfStatus } from './status-error.js';

const newline = 0x0a;
const decoder = new TextDecoder();

/** Splits a stream of bytes at its newlines; what stands behind the last one is a broken line and dropped. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Uint8Array[] = [];
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const part = chunk.subarray(start, end);
      const line = rest.length === 0 ? part : Buffer.concat([...rest, part]);
      rest = [];
      start = end + 1;
      if (line.byteLength > 0) yield decoder.decode(line);
    }
    if (start < chunk.byteLength) rest.push(chunk.subarray(start));
  }
}

interface WireEvent {
  readonly type: string;
  readonly object: unknown;
}

const eventOf = <T extends Resource>(line: string): WatchEvent<T> => {
  let event: WireEvent;
  try {
    event = JSON.parse(line) as WireEvent;
  } catch (error) {
    throw new ClusterError(
      'InternalError',
      `the server sent a watch event that is not JSON: ${messageOf(error)}`,
    );
  }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: event.object as T };
    case 'BOOKMARK':
      return { type: 'BOOKMARK', resourceVersion: (event.object as Resource).metadata.resourceVersion };
    default: {
      const code =
        isObject(event.object) && typeof event.object['code'] === 'number' ? event.object['code'] : 500;
      throw errorOfStatus(code, event.object);
    }
  }
};

/** Ends when the server ends it or the signal aborts; throws what an ERROR event says. */
export async function* watchEvents<T extends Resource>(
  open: () => Promise<AsyncIterable<Uint8Array>>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  try {
    for await (const line of linesOf(await open())) {
      if (signal.aborted) return;
      yield eventOf<T>(line);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
