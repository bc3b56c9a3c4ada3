// The server's side of a SPDY/3.1 connection as Kubernetes' clients speak it: streams that the client opens, no flow
// control (clients never open a window again), so that back-pressure is that of the connection below.
import type { Clock } from '../../../base/clock.js';
import { ByteQueue } from '../byte-queue.js';
import type { Link } from '../link.js';
import {
  FrameReader,
  SpdyError,
  dataFrames,
  pingFrame,
  resetFrame,
  resetReason,
  synReplyFrame,
} from './frames.js';
import type { Frame } from './frames.js';
import { HeaderPacker, HeaderUnpacker } from './header-block.js';
import type { Headers } from './header-block.js';

/** One stream of the client's. */
export interface SpdyStream {
  readonly id: number;
  readonly headers: Headers;
  /** Ends when the client has sent its last; breaks off when it resets the stream or the connection ends. */
  readonly incoming: AsyncIterableIterator<Uint8Array>;
  /** Aborts when the client gives the stream up, and when the connection ends. */
  readonly signal: AbortSignal;
  /** Rejects when the stream or its connection is closed. */
  write(data: Uint8Array): Promise<void>;
  /** Nothing more is written. Idempotent. */
  end(): Promise<void>;
  /** Gives the stream up. Idempotent. */
  reset(): Promise<void>;
}

export interface SpdyOptions {
  readonly link: Link;
  readonly clock: Clock;
  /** Called for each stream of the client's; a refusal is thrown. */
  accept(stream: SpdyStream): void;
}

const mostStreams = 1000;
/** A client that has vanished is noticed when this cannot be sent. */
const pingMs = 30_000;

class OpenStream implements SpdyStream {
  readonly id: number;
  readonly headers: Headers;
  readonly queue = new ByteQueue();
  readonly #connection: Connection;
  readonly #controller = new AbortController();
  /** The client may still send; we may still send. */
  #remoteOpen = true;
  #localOpen = true;

  constructor(connection: Connection, id: number, headers: Headers) {
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
  }

  get incoming(): AsyncIterableIterator<Uint8Array> {
    return this.queue;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async write(data: Uint8Array): Promise<void> {
    if (!this.#localOpen) throw new Error(`stream ${this.id} is closed`);
    for (const frame of dataFrames(this.id, data)) await this.#connection.send(frame);
  }

  async end(): Promise<void> {
    if (!this.#localOpen) return;
    this.#localOpen = false;
    this.#settle();
    for (const frame of dataFrames(this.id, new Uint8Array(), true)) await this.#connection.send(frame);
  }

  async reset(): Promise<void> {
    if (!this.#localOpen && !this.#remoteOpen) return;
    this.giveUp();
    await this.#connection.send(resetFrame(this.id, resetReason.cancel));
  }

  /** The client has sent its last. */
  finish(): void {
    this.#remoteOpen = false;
    this.queue.end();
    this.#settle();
  }

  /** Either side has given it up. */
  giveUp(): void {
    this.#localOpen = false;
    this.#remoteOpen = false;
    this.queue.drop();
    this.#connection.forget(this.id);
    this.#controller.abort(new Error(`stream ${this.id} was given up`));
  }

  #settle(): void {
    if (!this.#localOpen && !this.#remoteOpen) this.#connection.forget(this.id);
  }
}

class Connection {
  readonly #options: SpdyOptions;
  readonly #streams = new Map<number, OpenStream>();
  readonly #unpacker = new HeaderUnpacker();
  readonly #packer = new HeaderPacker();
  #last = 0;

  constructor(options: SpdyOptions) {
    this.#options = options;
  }

  send(frame: Uint8Array): Promise<void> {
    return this.#options.link.write(frame);
  }

  forget(id: number): void {
    this.#streams.delete(id);
  }

  async read(): Promise<void> {
    const reader = new FrameReader();
    try {
      for await (const piece of this.#options.link.incoming)
        for (const frame of reader.read(piece)) await this.#handle(frame);
    } finally {
      this.#unpacker.close();
      this.giveUp();
    }
  }

  giveUp(): void {
    for (const stream of [...this.#streams.values()]) stream.giveUp();
  }

  async ping(signal: AbortSignal): Promise<void> {
    // Those of a server are even.
    for (let id = 2; ; id += 2) {
      await this.#options.clock.sleep(pingMs, signal);
      await this.send(pingFrame(id));
    }
  }

  async #handle(frame: Frame): Promise<void> {
    switch (frame.type) {
      case 'syn-stream':
        await this.#open(frame.id, frame.fin, await this.#unpacker.unpack(frame.headers));
        return;
      case 'headers':
        await this.#unpacker.unpack(frame.headers);
        if (frame.fin) this.#streams.get(frame.id)?.finish();
        return;
      case 'data': {
        // What still comes for a stream that is closed has no reader.
        const stream = this.#streams.get(frame.id);
        await stream?.queue.push(frame.data);
        if (frame.fin) stream?.finish();
        return;
      }
      case 'reset':
        this.#streams.get(frame.id)?.giveUp();
        return;
      case 'ping':
        // The answer to one of ours is even.
        if (frame.id % 2 === 1) await this.send(pingFrame(frame.id));
        return;
      case 'go-away':
        // It closes the connection next.
        return;
    }
  }

  async #open(id: number, fin: boolean, headers: Headers): Promise<void> {
    if (id % 2 === 0 || id <= this.#last) throw new SpdyError(`a client cannot open stream ${id} now`);
    this.#last = id;
    if (this.#streams.size >= mostStreams) return this.send(resetFrame(id, resetReason.refused));
    const stream = new OpenStream(this, id, headers);
    this.#streams.set(id, stream);
    try {
      this.#options.accept(stream);
    } catch {
      stream.giveUp();
      return this.send(resetFrame(id, resetReason.refused));
    }
    if (fin) stream.finish();
    return this.send(synReplyFrame(id, this.#packer.pack({})));
  }
}

/** Serves until the client goes or breaks the protocol (rejects with SpdyError), or the signal aborts; closes the link. */
export const serveSpdy = async (options: SpdyOptions, signal: AbortSignal): Promise<void> => {
  const connection = new Connection(options);
  const pinging = new AbortController();
  const stop = (): void => {
    pinging.abort();
    connection.giveUp();
    options.link.destroy();
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const pings = connection.ping(pinging.signal).catch(() => {
    // A ping that cannot be sent: nobody is there any more.
    if (!pinging.signal.aborted) stop();
  });
  try {
    await connection.read();
  } finally {
    signal.removeEventListener('abort', stop);
    pinging.abort();
    options.link.close();
    await pings;
  }
};
