import { describe, expect, it } from 'vitest';
import {
  FrameReader,
  SpdyError,
  dataFrames,
  pingFrame,
  resetFrame,
  synReplyFrame,
  synStreamFrame,
} from '../../../../src/node/streams/spdy/frames.js';
import type { Frame } from '../../../../src/node/streams/spdy/frames.js';
import {
  HeaderPacker,
  HeaderUnpacker,
  dictionary,
  formatHeaders,
  parseHeaders,
} from '../../../../src/node/streams/spdy/header-block.js';
import { createRandom, seeds } from '../../../contract/random.js';
import { compressor } from './spdy-peer.js';

const adler32 = (bytes: Uint8Array): number => {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
};

/** Parts of data put together again, so that the cuts between pieces do not show. */
const whole = (frames: readonly Frame[]): readonly string[] => {
  const seen: string[] = [];
  let open = '';
  for (const frame of frames) {
    if (frame.type !== 'data') {
      seen.push(
        `${frame.type} ${'id' in frame ? frame.id : ''} ${'headers' in frame ? Buffer.from(frame.headers).toString('hex') : ''}`,
      );
      continue;
    }
    open += Buffer.from(frame.data).toString('latin1');
    if (frame.fin || open.endsWith('.')) {
      seen.push(`data ${frame.id} ${open} ${String(frame.fin)}`);
      open = '';
    }
  }
  return seen;
};

const read = (bytes: Uint8Array, cuts: readonly number[] = []): readonly Frame[] => {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    for (const frame of reader.read(bytes.subarray(start, cut)))
      frames.push('data' in frame ? { ...frame, data: Buffer.from(frame.data) } : frame);
    start = cut;
  }
  return frames;
};

describe('frames of SPDY', () => {
  const stream = Buffer.concat([
    synStreamFrame(1, Buffer.from('first')),
    ...dataFrames(1, Buffer.from('hello.')),
    pingFrame(3),
    ...dataFrames(1, Buffer.from('bye.'), true),
    synReplyFrame(5, Buffer.from('second')),
    resetFrame(5, 5),
  ]);

  it('mean the same wherever the pieces are cut', () => {
    const expected = whole(read(stream));
    expect(expected).toHaveLength(6);
    for (let cut = 0; cut <= stream.length; cut += 1) expect(whole(read(stream, [cut]))).toEqual(expected);
    const bytes = Array.from({ length: stream.length }, (_, index) => index);
    expect(whole(read(stream, bytes))).toEqual(expected);
  });

  it('hand data on before the frame is whole', () => {
    const [frame = new Uint8Array()] = dataFrames(1, Buffer.alloc(1000), true);
    const reader = new FrameReader();
    expect([...reader.read(frame.subarray(0, 508))]).toMatchObject([{ type: 'data', fin: false }]);
    const [last] = [...reader.read(frame.subarray(508))];
    expect(last).toMatchObject({ type: 'data', fin: true });
  });

  it('cut long data, and end the stream with the last part only', () => {
    const frames = dataFrames(7, Buffer.alloc(200_000, 'x'), true);
    expect(frames.length).toBeGreaterThan(1);
    const parts = read(Buffer.concat(frames)).filter((frame) => frame.type === 'data');
    expect(parts.reduce((sum, { data }) => sum + data.length, 0)).toBe(200_000);
    expect(parts.map(({ fin }) => fin)).toEqual(parts.map((_, index) => index === parts.length - 1));
  });

  it('of another version, or too long to be true, are refused', () => {
    const other = Buffer.from(pingFrame(1));
    other.writeUInt16BE(0x8002, 0);
    expect(() => read(other)).toThrow(SpdyError);
    const long = Buffer.from(pingFrame(1));
    long.writeUInt32BE(0xff_ffff, 4);
    expect(() => read(long)).toThrow(SpdyError);
  });

  it.each(seeds([1]))('random or broken, seed %i, give frames or a SpdyError and nothing else', (seed) => {
    const { integer } = createRandom(seed);
    for (let round = 0; round < 2000; round += 1) {
      const bytes =
        round % 2 === 0
          ? Buffer.from(Array.from({ length: integer(64) }, () => integer(256)))
          : Buffer.from(stream);
      if (round % 2 === 1) bytes[integer(bytes.length)] = integer(256);
      try {
        read(bytes, [integer(bytes.length + 1)]);
      } catch (error) {
        expect(error, `round ${round}`).toBeInstanceOf(SpdyError);
      }
    }
  });
});

describe('headers of SPDY', () => {
  it('use the dictionary that the protocol names by its checksum', () => {
    expect(adler32(dictionary)).toBe(0xe3c6a7c2);
    expect(dictionary).toHaveLength(1423);
  });

  it('come through a compressed stream, block after block', async () => {
    const compress = compressor();
    const unpacker = new HeaderUnpacker();
    for (const port of ['80', '443', '80']) {
      const headers = { streamtype: 'data', port, requestid: '17' };
      expect(await unpacker.unpack(await compress(headers))).toEqual(headers);
    }
    unpacker.close();
  });

  it('that we send are read by a decompressor', async () => {
    const packer = new HeaderPacker();
    const unpacker = new HeaderUnpacker();
    expect(await unpacker.unpack(packer.pack({}))).toEqual({});
    expect(await unpacker.unpack(packer.pack({ a: 'b', c: '' }))).toEqual({ a: 'b', c: '' });
    expect(await unpacker.unpack(packer.pack({}))).toEqual({});
    unpacker.close();
  });

  it('that unpack to too much are refused without being unpacked', async () => {
    const unpacker = new HeaderUnpacker();
    const bomb = await compressor()({ large: 'x'.repeat(5_000_000) });
    expect(bomb.length).toBeLessThan(20_000);
    await expect(unpacker.unpack(bomb)).rejects.toThrow('a block of headers is too large');
    await expect(unpacker.unpack(bomb)).rejects.toThrow(SpdyError);
  });

  it('that are not compressed by the protocol are refused', async () => {
    const unpacker = new HeaderUnpacker();
    await expect(unpacker.unpack(Buffer.from('not a zlib stream'))).rejects.toThrow(SpdyError);
    unpacker.close();
  });

  it('that lie about their lengths are refused', () => {
    const good = Buffer.from(formatHeaders({ name: 'value' }));
    for (let length = 0; length < good.length; length += 1)
      expect(() => parseHeaders(good.subarray(0, length))).toThrow(SpdyError);
    const many = Buffer.alloc(4, 0xff);
    expect(() => parseHeaders(many)).toThrow(SpdyError);
    expect(parseHeaders(formatHeaders({ __proto__x: '1', Name: 'V' }))).toEqual({
      __proto__x: '1',
      name: 'V',
    });
  });
});
