// port-forward over SPDY: the client opens an error and a data stream for each of its connections.
import type { Clock } from '../../base/clock.js';
import { ClusterError } from '../../base/errors.js';
import type { Link } from './link.js';
import { forwardPort } from './port-forward.js';
import type { ForwardClient, ForwardTarget } from './port-forward.js';
import { serveSpdy } from './spdy/connection.js';
import type { SpdyStream } from './spdy/connection.js';

export const forwardProtocol = 'portforward.k8s.io';

/** As the subprotocol of a WebSocket whose messages carry SPDY. */
export const tunnelProtocol = `SPDY/3.1+${forwardProtocol}`;

const pairMs = 30_000;

interface Pair {
  readonly port: number;
  readonly error?: SpdyStream;
  readonly data?: SpdyStream;
  /** Ends the wait for the other half. */
  readonly complete: AbortController;
}

export const portOf = (text: string | undefined): number | undefined => {
  const port = Number(text);
  return text !== undefined && /^\d{1,5}$/.test(text) && port > 0 && port <= 65_535 ? port : undefined;
};

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

const clientOf = (data: SpdyStream, error: SpdyStream): ForwardClient => ({
  incoming: data.incoming,
  signal: data.signal,
  write: (piece) => data.write(piece),
  // A client waits for the end of its error stream before it lets go of the connection.
  end: async () => {
    await data.end();
    await error.end();
  },
  fail: (message) => error.write(Buffer.from(message)),
  breakOff: () => data.reset(),
});

class Forwarder {
  readonly #target: ForwardTarget;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** By request, while only one half has come. */
  readonly #pairs = new Map<string, Pair>();

  constructor(target: ForwardTarget, clock: Clock, signal: AbortSignal) {
    this.#target = target;
    this.#clock = clock;
    this.#signal = signal;
  }

  accept(stream: SpdyStream): void {
    const { streamtype: type, port: text, requestid: request } = stream.headers;
    if (request === undefined || request === '') throw bad('"requestID" header is required');
    if (type !== 'error' && type !== 'data') throw bad(`invalid stream type "${type ?? ''}"`);
    const port = portOf(text);
    if (port === undefined) throw bad(`unable to parse "${text ?? ''}" as a port`);
    const known = this.#pairs.get(request);
    if (known?.[type] !== undefined) throw bad(`a ${type} stream of request ${request} exists already`);
    const pair: Pair = { ...(known ?? { port, complete: new AbortController() }), [type]: stream };
    if (pair.data !== undefined && pair.error !== undefined) {
      this.#pairs.delete(request);
      pair.complete.abort();
      void this.#forward(pair.port, pair.data, pair.error);
      return;
    }
    this.#pairs.set(request, pair);
    if (known === undefined) void this.#await(request, pair);
  }

  async #await(request: string, { complete, data, error }: Pair): Promise<void> {
    try {
      await this.#clock.sleep(pairMs, AbortSignal.any([complete.signal, this.#signal]));
    } catch {
      // The other half has come, or the connection has ended.
      return;
    }
    this.#pairs.delete(request);
    await Promise.allSettled([data?.reset(), error?.reset()]);
  }

  async #forward(port: number, data: SpdyStream, error: SpdyStream): Promise<void> {
    // A client that goes away in the middle of this is no failure.
    await Promise.allSettled([forwardPort(this.#target, port, clientOf(data, error))]);
    await Promise.allSettled([error.end(), data.end()]);
  }
}

/** Serves until the client goes, or the signal aborts. */
export const forwardOverSpdy = async (
  { link, clock, target }: { readonly link: Link; readonly clock: Clock; readonly target: ForwardTarget },
  signal: AbortSignal,
): Promise<void> => {
  const ended = new AbortController();
  const forwarder = new Forwarder(target, clock, ended.signal);
  try {
    await serveSpdy({ link, clock, accept: (stream) => forwarder.accept(stream) }, signal);
  } finally {
    ended.abort();
  }
};
