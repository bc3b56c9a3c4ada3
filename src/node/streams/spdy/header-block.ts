// Compressed blocks of headers in SPDY/3: one zlib stream for each direction, primed with the dictionary of the protocol.
import { createInflate } from 'node:zlib';
import type { Inflate } from 'node:zlib';
import { SpdyError } from './frames.js';

/** Section 2.6.10.1 of the protocol: words, each with its length before it, then a text. */
const words =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status|200 OK|version HTTP/1.1 url public set-cookie keep-alive origin'
    .split('|')
    .flatMap((part, index) => (index === 1 ? [part] : part.split(' ')));

const text =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

const lengthPrefixed = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

export const dictionary: Uint8Array = Buffer.concat([
  ...words.map(lengthPrefixed),
  Buffer.from(text, 'latin1'),
]);

/** Adler-32 of the dictionary, by which a zlib stream names it. */
const dictionaryId = [0xe3, 0xc6, 0xa7, 0xc2];
/** What a block may be when it is unpacked, and how many headers it may hold. */
const largestBlock = 64 * 1024;
const mostHeaders = 256;

export type Headers = Readonly<Record<string, string>>;

/** The unpacked form: a count, then names and values with their lengths. Names come out in lower case. */
export const parseHeaders = (block: Uint8Array): Headers => {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  let at = 0;
  const number = (): number => {
    if (at + 4 > bytes.length) throw new SpdyError('a block of headers is too short');
    const value = bytes.readUInt32BE(at);
    at += 4;
    return value;
  };
  const word = (): string => {
    const length = number();
    if (length > bytes.length - at) throw new SpdyError('a header is longer than its block');
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const count = number();
  if (count > mostHeaders) throw new SpdyError(`a block holds ${count} headers`);
  const headers = new Map<string, string>();
  for (let index = 0; index < count; index += 1) {
    const name = word();
    headers.set(name.toLowerCase(), word());
  }
  return Object.fromEntries(headers);
};

export const formatHeaders = (headers: Headers): Uint8Array => {
  const entries = Object.entries(headers);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(entries.length);
  return Buffer.concat([count, ...entries.flat().map(lengthPrefixed)]);
};

/** An empty stored block: readers hand on what they have when they see one, not before. */
const flush = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** Packs without compressing: what we send is a few bytes, and needs no state but whether it is the first. */
export class HeaderPacker {
  #started = false;

  pack(headers: Headers): Uint8Array {
    const block = formatHeaders(headers);
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(block.length, 1);
    stored.writeUInt16LE(block.length ^ 0xffff, 3);
    const start = this.#started ? [] : [0x78, 0xbb, ...dictionaryId];
    this.#started = true;
    return Buffer.concat([Buffer.from(start), stored, block, flush]);
  }
}

const tooLarge = (): SpdyError => new SpdyError('a block of headers is too large');

/** Unpacks the blocks of one direction in their order. */
export class HeaderUnpacker {
  readonly #inflate: Inflate = createInflate({ dictionary });
  #pieces: Buffer[] = [];
  #size = 0;
  #failed: ((error: Error) => void) | undefined;

  constructor() {
    this.#inflate.on('data', (piece: Buffer) => {
      this.#size += piece.length;
      if (this.#size > largestBlock) this.#inflate.destroy(tooLarge());
      else this.#pieces.push(piece);
    });
    this.#inflate.on('error', (error) => this.#failed?.(error));
  }

  /** Rejects with SpdyError when the block is not what it should be; no later one can be read then. */
  async unpack(block: Uint8Array): Promise<Headers> {
    this.#pieces = [];
    this.#size = 0;
    await new Promise<void>((resolve, reject) => {
      this.#failed = (error) => reject(new SpdyError(error.message));
      if (this.#inflate.destroyed) reject(new SpdyError('the headers cannot be read any more'));
      else
        this.#inflate.write(block, (error) => {
          if (error instanceof Error) reject(new SpdyError(error.message));
          else resolve();
        });
    });
    if (this.#size > largestBlock) throw tooLarge();
    return parseHeaders(Buffer.concat(this.#pieces));
  }

  close(): void {
    this.#inflate.destroy();
  }
}
