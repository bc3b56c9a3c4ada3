// Binary messages: protobuf bodies of requests, questions to the cluster's DNS, events of watches.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { encode } from 'dns-packet';
import { decodeEnvelope } from '../../../src/apiserver/protobuf/decode.js';
import { linesOf } from '../../../src/client/watch-events.js';
import { parseQuery } from '../../../src/network/dns/message.js';
import { refusing } from '../fuzz-target.js';
import type { FuzzTarget } from '../fuzz-target.js';

const text = (writer: BinaryWriter, number: number, value: string): BinaryWriter =>
  writer.tag(number, WireType.LengthDelimited).string(value);
const bytes = (writer: BinaryWriter, number: number, value: Uint8Array): BinaryWriter =>
  writer.tag(number, WireType.LengthDelimited).bytes(value);

/** A ConfigMap as kubectl 1.32 sends it. */
const configMap = (): Buffer => {
  const entry = text(text(new BinaryWriter(), 1, 'key'), 2, 'value').finish();
  const metadata = text(text(new BinaryWriter(), 1, 'web'), 3, 'default').finish();
  const object = bytes(bytes(new BinaryWriter(), 1, metadata), 2, entry).finish();
  const type = text(text(new BinaryWriter(), 1, 'v1'), 2, 'ConfigMap').finish();
  return Buffer.concat([Buffer.from('k8s\0'), bytes(bytes(new BinaryWriter(), 1, type), 2, object).finish()]);
};

const question = (name: string): Buffer =>
  encode({
    type: 'query',
    id: 7,
    flags: 256,
    questions: [{ type: 'A', name }],
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] } as never],
  });

async function* pieces(input: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < input.length; at += 7) yield await Promise.resolve(input.subarray(at, at + 7));
}

export const messages = (): readonly FuzzTarget[] => [
  {
    name: 'protobuf',
    corpus: [configMap()],
    words: [
      'Deployment',
      'apps/v1',
      'DeleteOptions',
      '\xff\xff\xff\xff\x0f',
      '\x0a\x80\x80\x80\x80\x08',
      '\x0b',
    ],
    run: (input) => refusing(() => decodeEnvelope(input)),
  },
  {
    name: 'DNS questions',
    corpus: [question('web.default.svc.cluster.local'), question('')],
    words: ['\xc0\x0c', '\xc0\x00', '\x3f', '\x00\x29', '\x00\x01'],
    run: (input) => refusing(() => parseQuery(input)),
  },
  {
    name: 'lines',
    corpus: ['{"type":"ADDED","object":{}}\n{"type":"BOOKMARK"}\n'],
    words: ['\n', '\n\n'],
    run: async (input) => {
      const lines: string[] = [];
      for await (const line of linesOf(pieces(input))) lines.push(line);
      const whole = input.subarray(0, input.lastIndexOf(0x0a) + 1).toString('utf8');
      const expected = whole.split('\n').filter((line) => line !== '');
      if (lines.join('\n') !== expected.join('\n')) throw new Error('pieces give other lines than the whole');
    },
  },
];
