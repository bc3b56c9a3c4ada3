// Frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00), as far as Kubernetes' clients use it.

export class SpdyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SpdyError';
  }
}

export type Frame =
  | { readonly type: 'syn-stream'; readonly id: number; readonly fin: boolean; readonly headers: Uint8Array }
  /** Another block of headers, or the answer to a stream of ours: only its compression state matters. */
  | { readonly type: 'headers'; readonly id: number; readonly fin: boolean; readonly headers: Uint8Array }
  | { readonly type: 'reset'; readonly id: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'go-away' }
  /** A part of a data frame; `fin` with the last part of a frame that ends the stream. */
  | { readonly type: 'data'; readonly id: number; readonly fin: boolean; readonly data: Uint8Array };

const version = 3;
const headSize = 8;
const finFlag = 1;
const control = { synStream: 1, synReply: 2, reset: 3, settings: 4, ping: 6, goAway: 7, headers: 8 } as const;
/** No client needs more for a frame that is not data. */
const largestControl = 64 * 1024;
/** Longer data is sent in several frames, so that a receiver never needs to hold much. */
const largestData = 64 * 1024;
const idMask = 0x7fff_ffff;

const empty = new Uint8Array();

const controlFrame = (type: number, flags: number, body: Uint8Array): Uint8Array => {
  const frame = Buffer.alloc(headSize + body.length);
  frame.writeUInt16BE(0x8000 | version, 0);
  frame.writeUInt16BE(type, 2);
  frame.writeUInt32BE((flags << 24) | body.length, 4);
  frame.set(body, headSize);
  return frame;
};

const words = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value >>> 0, index * 4));
  return bytes;
};

export const synReplyFrame = (id: number, headers: Uint8Array): Uint8Array =>
  controlFrame(control.synReply, 0, Buffer.concat([words(id), headers]));

export const synStreamFrame = (id: number, headers: Uint8Array): Uint8Array =>
  controlFrame(control.synStream, 0, Buffer.concat([words(id, 0), Buffer.alloc(2), headers]));

/** Reasons of RST_STREAM. */
export const resetReason = { protocolError: 1, refused: 3, cancel: 5 } as const;

export const resetFrame = (id: number, reason: number): Uint8Array =>
  controlFrame(control.reset, 0, words(id, reason));

export const pingFrame = (id: number): Uint8Array => controlFrame(control.ping, 0, words(id));

/** One frame, or several when it is long. */
export const dataFrames = (id: number, data: Uint8Array, fin = false): readonly Uint8Array[] => {
  const frames: Uint8Array[] = [];
  let start = 0;
  do {
    const part = data.subarray(start, start + largestData);
    start += part.length;
    const frame = Buffer.allocUnsafe(headSize + part.length);
    frame.writeUInt32BE(id & idMask, 0);
    frame.writeUInt32BE(((fin && start >= data.length ? finFlag : 0) << 24) | part.length, 4);
    frame.set(part, headSize);
    frames.push(frame);
  } while (start < data.length);
  return frames;
};

/** Undefined for frames that say nothing to us: settings, window updates, and what later versions may add. */
const readControl = (type: number, flags: number, body: Buffer): Frame | undefined => {
  const need = (bytes: number): void => {
    if (body.length < bytes) throw new SpdyError(`a control frame of type ${type} is too short`);
  };
  const fin = (flags & finFlag) !== 0;
  switch (type) {
    case control.synStream:
      need(10);
      return { type: 'syn-stream', id: body.readUInt32BE(0) & idMask, fin, headers: body.subarray(10) };
    case control.synReply:
    case control.headers:
      need(4);
      return { type: 'headers', id: body.readUInt32BE(0) & idMask, fin, headers: body.subarray(4) };
    case control.reset:
      need(8);
      return { type: 'reset', id: body.readUInt32BE(0) & idMask };
    case control.ping:
      need(4);
      return { type: 'ping', id: body.readUInt32BE(0) };
    case control.goAway:
      return { type: 'go-away' };
    default:
      return undefined;
  }
};

/** Cuts what arrives into frames. Data is handed on as it comes, everything else when it is whole. */
export class FrameReader {
  #kept: Buffer = Buffer.alloc(0);
  #data: { readonly id: number; readonly fin: boolean; left: number } | undefined;

  /** Throws SpdyError on what is not SPDY/3; the connection is of no use then. */
  *read(piece: Uint8Array): Generator<Frame> {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let rest = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    for (;;) {
      if (this.#data !== undefined) {
        if (rest.length === 0) break;
        const data = rest.subarray(0, this.#data.left);
        rest = rest.subarray(data.length);
        const { id, fin } = this.#data;
        this.#data.left -= data.length;
        const last = this.#data.left === 0;
        if (last) this.#data = undefined;
        yield { type: 'data', id, fin: fin && last, data };
        continue;
      }
      if (rest.length < headSize) break;
      const length = rest.readUInt32BE(4) & 0xff_ffff;
      const flags = rest.readUInt8(4);
      const first = rest.readUInt32BE(0);
      if (first <= idMask) {
        rest = rest.subarray(headSize);
        const fin = (flags & finFlag) !== 0;
        if (length > 0) this.#data = { id: first, fin, left: length };
        else yield { type: 'data', id: first, fin, data: empty };
        continue;
      }
      if (((first >>> 16) & 0x7fff) !== version) throw new SpdyError('a frame is not of SPDY version 3');
      if (length > largestControl) throw new SpdyError(`a control frame is ${length} bytes long`);
      if (rest.length < headSize + length) break;
      const frame = readControl(first & 0xffff, flags, rest.subarray(headSize, headSize + length));
      rest = rest.subarray(headSize + length);
      if (frame !== undefined) yield frame;
    }
    this.#kept = rest.length === 0 ? Buffer.alloc(0) : Buffer.from(rest);
  }
}
