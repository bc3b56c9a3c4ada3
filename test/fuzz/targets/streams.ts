// Bytes of streams: SPDY connections and their headers, messages of WebSocket channels, frames of engines.
import { linkOf } from '../../../src/node/streams/link.js';
import { execProtocols, formatMessage, readMessage } from '../../../src/node/streams/channels.js';
import { serveSpdy } from '../../../src/node/streams/spdy/connection.js';
import {
  dataFrames,
  pingFrame,
  resetFrame,
  SpdyError,
  synStreamFrame,
} from '../../../src/node/streams/spdy/frames.js';
import { HeaderPacker, parseHeaders, formatHeaders } from '../../../src/node/streams/spdy/header-block.js';
import { duplexPair } from '../duplex-pair.js';
import { refusing } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

const connection = (): Buffer => {
  const packer = new HeaderPacker();
  const headers = (streamType: string) => packer.pack({ streamtype: streamType, port: '80', requestid: '0' });
  return Buffer.concat([
    synStreamFrame(1, headers('error')),
    synStreamFrame(3, headers('data')),
    ...dataFrames(3, Buffer.from('GET / HTTP/1.0\r\n\r\n')),
    pingFrame(1),
    ...dataFrames(1, new Uint8Array(), true),
    resetFrame(3, 5),
  ]);
};

const never = { now: () => 0, sleep: (_: number, signal: AbortSignal) => untilAborted(signal) };

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

/** Reads what every stream brings and answers with as much; the peer ends the connection behind the input. */
const serve = async (input: Buffer): Promise<void> => {
  const [ours, theirs] = duplexPair();
  theirs.resume();
  const over = new AbortController();
  const echoes: Promise<void>[] = [];
  const served = serveSpdy(
    {
      link: linkOf(ours),
      clock: never,
      accept: (stream) => {
        const echo = async (): Promise<void> => {
          for await (const piece of stream.incoming) await stream.write(piece);
          await stream.end();
        };
        // A stream that its client gave up, or whose connection has ended, is no defect.
        echoes.push(echo().catch(() => undefined));
      },
    },
    over.signal,
  );
  theirs.end(input);
  try {
    await served;
  } catch (error) {
    if (!(error instanceof SpdyError)) throw error;
  } finally {
    over.abort();
    theirs.destroy();
    ours.destroy();
  }
  await Promise.all(echoes);
};

const spdyError = (error: unknown): boolean => error instanceof SpdyError;

export const streams = (): readonly FuzzTarget[] => [
  {
    name: 'SPDY connections',
    corpus: [connection()],
    words: ['\x80\x03\x00\x01', '\x80\x03\x00\x08', '\x00\xff\xff\xff', '\x00\x00\x00\x03'],
    run: serve,
  },
  {
    name: 'SPDY headers',
    corpus: [formatHeaders({ streamtype: 'data', port: '80' })],
    words: ['\x00\x00\x00\x01', '\xff\xff\xff\xff'],
    run: (input) => refusing(() => parseHeaders(input), spdyError),
  },
  {
    name: 'channels',
    corpus: ['\x00text', '\x04{"Width":80,"Height":24}', '1aGVsbG8=', '\xff\x00'],
    words: ['\xff', '\x05', '=', '9'],
    run: (input) => {
      for (const protocol of execProtocols) {
        const read = readMessage(protocol, input);
        if (read === undefined) continue;
        const again = readMessage(protocol, formatMessage(protocol, read));
        if (again?.channel !== read.channel || !Buffer.from(again.data).equals(Buffer.from(read.data)))
          throw new Error('a message that is written again is another one');
      }
    },
  },
];
