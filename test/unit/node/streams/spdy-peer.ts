// A client's end of SPDY, as kubectl speaks it, for tests: it compresses its headers and reads what the server says.
import { constants, createDeflate } from 'node:zlib';
import {
  FrameReader,
  dataFrames,
  pingFrame,
  resetFrame,
  synStreamFrame,
} from '../../../../src/node/streams/spdy/frames.js';
import type { Frame } from '../../../../src/node/streams/spdy/frames.js';
import { dictionary, formatHeaders } from '../../../../src/node/streams/spdy/header-block.js';
import type { Link } from '../../../../src/node/streams/link.js';

export const compressor = (): ((headers: Readonly<Record<string, string>>) => Promise<Uint8Array>) => {
  const deflate = createDeflate({ dictionary });
  let pieces: Buffer[] = [];
  deflate.on('data', (piece: Buffer) => pieces.push(piece));
  return async (headers) => {
    pieces = [];
    deflate.write(formatHeaders(headers));
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    await new Promise((resolve) => setImmediate(resolve));
    return Buffer.concat(pieces);
  };
};

export class SpdyPeer {
  readonly frames: Frame[] = [];
  readonly ended: Promise<void>;
  readonly #link: Link;
  readonly #compress = compressor();

  constructor(link: Link) {
    this.#link = link;
    this.ended = this.#read();
  }

  async #read(): Promise<void> {
    const reader = new FrameReader();
    for await (const piece of this.#link.incoming) this.frames.push(...reader.read(piece));
  }

  async open(id: number, headers: Readonly<Record<string, string>>): Promise<void> {
    await this.#link.write(synStreamFrame(id, await this.#compress(headers)));
  }

  async send(id: number, text: string, fin = false): Promise<void> {
    for (const frame of dataFrames(id, Buffer.from(text), fin)) await this.#link.write(frame);
  }

  reset(id: number): Promise<void> {
    return this.#link.write(resetFrame(id, 5));
  }

  ping(id: number): Promise<void> {
    return this.#link.write(pingFrame(id));
  }

  /** What has come on one stream. */
  text(id: number): string {
    return this.frames
      .flatMap((frame) =>
        frame.type === 'data' && frame.id === id ? [Buffer.from(frame.data).toString()] : [],
      )
      .join('');
  }

  finished(id: number): boolean {
    return this.frames.some((frame) => frame.type === 'data' && frame.id === id && frame.fin);
  }

  wasReset(id: number): boolean {
    return this.frames.some((frame) => frame.type === 'reset' && frame.id === id);
  }
}
