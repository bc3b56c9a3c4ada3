import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope } from '../../../src/apiserver/protobuf/decode.js';
import { ClusterError } from '../../../src/base/errors.js';
import { createRandom, seeds } from '../../contract/random.js';

type Build = (writer: BinaryWriter) => unknown;

const message = (build: Build): Uint8Array => {
  const writer = new BinaryWriter();
  build(writer);
  return writer.finish();
};
const text = (writer: BinaryWriter, number: number, value: string) =>
  writer.tag(number, WireType.LengthDelimited).string(value);
const nested = (writer: BinaryWriter, number: number, build: Build) =>
  writer.tag(number, WireType.LengthDelimited).bytes(message(build));
const int = (writer: BinaryWriter, number: number, value: number) =>
  writer.tag(number, WireType.Varint).int64(value);

const envelope = (apiVersion: string, kind: string, raw: Uint8Array): Uint8Array =>
  Buffer.concat([
    Buffer.from('k8s\0', 'latin1'),
    message((writer) => {
      nested(writer, 1, (meta) => text(text(meta, 1, apiVersion), 2, kind));
      writer.tag(2, WireType.LengthDelimited).bytes(raw);
      text(writer, 3, '');
      text(writer, 4, '');
    }),
  ]);

const metadata = (writer: BinaryWriter, name: string): void => {
  nested(writer, 1, (meta) => {
    text(meta, 1, name);
    text(meta, 2, '');
    text(meta, 3, '');
    int(meta, 7, 0);
    nested(meta, 8, () => undefined);
    nested(meta, 11, (entry) => text(text(entry, 1, 'app'), 2, 'web'));
    nested(meta, 11, (entry) => text(text(entry, 1, '__proto__'), 2, 'odd'));
  });
};

const deployment = message((writer) => {
  metadata(writer, 'web');
  nested(writer, 2, (spec) => {
    int(spec, 1, 0);
    nested(spec, 2, (selector) => nested(selector, 1, (entry) => text(text(entry, 1, 'app'), 2, 'web')));
    nested(spec, 3, (template) => {
      nested(template, 2, (podSpec) => {
        nested(podSpec, 1, (volume) => {
          text(volume, 1, 'settings');
          nested(volume, 2, (source) =>
            nested(source, 19, (configMap) => nested(configMap, 1, (reference) => text(reference, 1, 'web'))),
          );
        });
        nested(podSpec, 2, (container) => {
          text(container, 1, 'web');
          text(container, 2, 'web:1');
          nested(container, 8, (resources) =>
            nested(resources, 1, (entry) =>
              nested(text(entry, 1, 'cpu'), 2, (quantity) => text(quantity, 1, '250m')),
            ),
          );
          nested(container, 11, (probe) => {
            nested(probe, 1, (handler) =>
              nested(handler, 2, (http) => {
                text(http, 1, '/healthz');
                nested(http, 2, (port) => text(int(int(port, 1, 1), 2, 0), 3, 'http'));
              }),
            );
            int(probe, 2, 0);
          });
        });
      });
    });
    nested(spec, 4, (strategy) => {
      text(strategy, 1, 'RollingUpdate');
      nested(strategy, 2, (rolling) => {
        nested(rolling, 1, (unavailable) => int(int(unavailable, 1, 0), 2, 0));
        nested(rolling, 2, (surge) => text(int(surge, 1, 1), 3, '25%'));
      });
    });
    int(spec, 5, 0);
  });
  nested(writer, 3, () => undefined);
});

describe('a protobuf body', () => {
  it('means the same as the JSON that kubectl would have sent', () => {
    const decoded = decodeEnvelope(envelope('apps/v1', 'Deployment', deployment));
    const labels = Object.fromEntries([['app', 'web']]);
    Object.defineProperty(labels, '__proto__', { value: 'odd', enumerable: true });
    expect(decoded).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: {
          spec: {
            volumes: [{ name: 'settings', configMap: { name: 'web' } }],
            containers: [
              {
                name: 'web',
                image: 'web:1',
                resources: { limits: { cpu: '250m' } },
                readinessProbe: { httpGet: { path: '/healthz', port: 'http' } },
              },
            ],
          },
        },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } },
      },
      status: {},
    });
  });

  it('gives bytes as base64 and times as RFC 3339', () => {
    const secret = message((writer) => {
      metadata(writer, 'token');
      nested(writer, 2, (entry) =>
        text(entry, 1, 'key').tag(2, WireType.LengthDelimited).bytes(Uint8Array.of(0, 255)),
      );
    });
    expect(decodeEnvelope(envelope('v1', 'Secret', secret))).toMatchObject({ data: { key: 'AP8=' } });
    const lease = message((writer) => {
      nested(writer, 2, (spec) =>
        nested(spec, 4, (time) => int(int(time, 1, 1_700_000_000), 2, 123_456_789)),
      );
    });
    expect(decodeEnvelope(envelope('coordination.k8s.io/v1', 'Lease', lease))).toMatchObject({
      spec: { renewTime: '2023-11-14T22:13:20.123456Z' },
    });
  });

  it('keeps a grace period of 0 in DeleteOptions of any group', () => {
    const raw = message((writer) => int(writer, 1, 0));
    expect(decodeEnvelope(envelope('apps/v1', 'DeleteOptions', raw))).toMatchObject({
      gracePeriodSeconds: 0,
    });
  });

  it('of a kind that is not known is refused by name', () => {
    expect(() => decodeEnvelope(envelope('batch/v9', 'Robot', deployment))).toThrow(
      /kind Robot in version batch\/v9/,
    );
  });

  it.each(seeds([1, 2, 3]))('that is cut or scrambled is refused, never a crash (seed %i)', (seed) => {
    const random = createRandom(seed);
    const whole = envelope('apps/v1', 'Deployment', deployment);
    for (let round = 0; round < 500; round++) {
      const broken = Uint8Array.from(whole.subarray(0, random.integer(whole.length + 1)));
      for (let flip = random.integer(4); flip > 0 && broken.length > 0; flip--)
        broken[random.integer(broken.length)] = random.integer(256);
      try {
        decodeEnvelope(broken);
      } catch (error) {
        expect(error).toBeInstanceOf(ClusterError);
        expect((error as ClusterError).code).toBe('BadRequest');
      }
    }
  });
});
