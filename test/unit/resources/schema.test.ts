import { describe, expect, it } from 'vitest';
import { duplicateFields, namesTwice } from '../../../src/resources/duplicate-fields.js';
import type { Kind } from '../../../src/resources/kind.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { endpointslices } from '../../../src/resources/kinds/endpointslices.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { secrets } from '../../../src/resources/kinds/secrets.js';
import { checkSchema, prune } from '../../../src/resources/schema.js';

const sentences = (kind: Kind, object: unknown): readonly string[] => {
  const { errors, unknown } = checkSchema(kind, object);
  return [
    ...errors.map(({ field, message }) => `${field}: ${message}`),
    ...unknown.map((path) => `unknown ${path}`),
  ].sort();
};

const pod = (container: object, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a' },
  spec: { containers: [{ name: 'c', image: 'x', ...container }], ...spec },
});

describe('an object that does not fit its schema', () => {
  it.each<[string, Kind, object, readonly string[]]>([
    [
      'a word where a number belongs',
      deployments,
      { spec: { replicas: 'three', selector: {}, template: {} } },
      ['spec.replicas: Invalid value: "three": must be of type integer'],
    ],
    [
      'a number beyond 32 bits',
      deployments,
      { spec: { replicas: 3e9, selector: {}, template: {} } },
      ['spec.replicas: Invalid value: 3000000000: must fit in 32 bits'],
    ],
    [
      'required fields left out',
      deployments,
      { spec: { replicas: 1 } },
      ['spec.selector: Required value', 'spec.template: Required value'],
    ],
    [
      'null for a required field',
      deployments,
      { spec: { selector: null, template: {} } },
      ['spec.selector: Required value'],
    ],
    [
      'a required field in a list',
      pods,
      pod({ ports: [{ name: 'http' }] }),
      ['spec.containers[0].ports[0].containerPort: Required value'],
    ],
    [
      'an object where a list belongs',
      pods,
      pod({ env: { A: 'b' } }),
      ['spec.containers[0].env: Invalid value: {"A":"b"}: must be of type array'],
    ],
    [
      'a number where text belongs, under a key',
      configmaps,
      { data: { 'a.b': 5 } },
      ['data[a.b]: Invalid value: 5: must be of type string'],
    ],
    [
      'a key with slashes',
      configmaps,
      { metadata: { labels: { 'x.io/~a': true } } },
      ['metadata.labels[x.io/~a]: Invalid value: true: must be of type string'],
    ],
    [
      'something that is no quantity',
      pods,
      pod({ resources: { requests: { cpu: 'lots' } } }),
      [
        `spec.containers[0].resources.requests[cpu]: Invalid value: "lots": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
      ],
    ],
    [
      'something that is no base64',
      secrets,
      { data: { a: 'p@ss' } },
      ['data[a]: Invalid value: "<secret contents redacted>": must be base64-encoded data'],
    ],
    [
      'a time without a zone',
      pods,
      { ...pod({}), metadata: { creationTimestamp: '2025-01-01T00:00:00' } },
      [
        'metadata.creationTimestamp: Invalid value: "2025-01-01T00:00:00": must be a date and time in RFC 3339, such as 2025-01-31T12:00:00Z',
      ],
    ],
    [
      'a boolean where a port belongs',
      pods,
      pod({ livenessProbe: { httpGet: { port: true } } }),
      [
        'spec.containers[0].livenessProbe.httpGet.port: Invalid value: true: must be of type integer or string',
      ],
    ],
    ['an entry that is null', pods, pod({}, { containers: [null] }), ['spec.containers[0]: Required value']],
    [
      'fields that do not exist',
      pods,
      { ...pod({ imag: 'x' }), spek: {}, metadata: { lables: {} } },
      ['unknown metadata.lables', 'unknown spec.containers[0].imag', 'unknown spek'],
    ],
    ['no object at all', pods, [], [': Invalid value: []: must be of type object']],
  ])('%s', (_, kind, object, expected) => {
    expect(sentences(kind, object)).toEqual(expected);
  });

  it('cuts a value that would drown the message', () => {
    const [sentence = ''] = sentences(configmaps, { data: { a: ['x'.repeat(5000)] } });
    expect(sentence.length).toBeLessThan(200);
  });
});

describe('an object that fits', () => {
  it.each<[string, Kind, object]>([
    [
      'with nulls where values may be absent',
      pods,
      pod({ env: null }, { nodeSelector: null, restartPolicy: null }),
    ],
    ['with quantities as numbers', pods, pod({ resources: { limits: { cpu: 1.5, memory: 1048576 } } })],
    ['with ports as names or numbers', pods, pod({ readinessProbe: { tcpSocket: { port: 'http' } } })],
    ['with line breaks in base64', secrets, { data: { a: 'aGVs\nbG8=\n' } }],
    ['with empty base64', secrets, { data: { a: '' } }],
    [
      'with microseconds and an offset',
      pods,
      { ...pod({}), metadata: { creationTimestamp: '2025-01-01T00:00:00.123456+02:00' } },
    ],
    ['with a partial status', pods, { ...pod({}), status: { containerStatuses: [{ name: 'c' }] } }],
    [
      'with the null that Go writes for no endpoints',
      endpointslices,
      { addressType: 'IPv4', endpoints: null },
    ],
    [
      'with opaque managed fields',
      pods,
      { ...pod({}), metadata: { managedFields: [{ fieldsV1: { 'f:a': { '.': {} } } }] } },
    ],
  ])('%s', (_, kind, object) => {
    expect(sentences(kind, object)).toEqual([]);
  });

  it('of a kind without a definition is taken as it is', () => {
    expect(checkSchema({ definition: 'dev.example.v1.Thing' }, { any: 1 })).toEqual({
      errors: [],
      unknown: [],
    });
  });
});

describe('pruning', () => {
  const dirty = {
    ...pod(
      {
        imag: 'x',
        resources: { requests: { cpu: 0.5, memory: '1024Mi', gpu: null } },
        env: null,
        args: ['a', 'b'],
      },
      { nodeSelector: { disk: null }, volumes: [{ name: 'v', emptyDir: {} }] },
    ),
    spek: 1,
    metadata: { name: 'a', creationTimestamp: null, managedFields: [{ fieldsV1: { 'f:x': null } }] },
  };

  it('drops unknown fields and nulls and writes quantities as Kubernetes does', () => {
    expect(prune(pods, dirty)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', managedFields: [{ fieldsV1: { 'f:x': null } }] },
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x',
            resources: { requests: { cpu: '500m', memory: '1Gi', gpu: '0' } },
            args: ['a', 'b'],
          },
        ],
        nodeSelector: { disk: '' },
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    });
  });

  it('gives the same object back when there is nothing to do, so it is idempotent', () => {
    const clean = prune(pods, dirty);
    expect(prune(pods, clean)).toBe(clean);
  });

  it('reads an empty value of a ConfigMap as empty text and joins lines of base64', () => {
    expect(prune(configmaps, { data: { A: null } })).toEqual({ data: { A: '' } });
    expect(prune(secrets, { data: { a: 'aGVs\nbG8=\n', b: null } })).toEqual({
      data: { a: 'aGVsbG8=', b: '' },
    });
  });
});

describe('duplicate fields', () => {
  it.each<[string, readonly string[]]>([
    ['{}', []],
    ['{"a":1,"b":{"a":[1,2,{"a":"\\"}{"}]}}', []],
    ['{"a":1, "a" : 2}', ['a']],
    [
      '{"spec":{"containers":[{"name":"c"},{"image":"x","image":"y","image":"z"}]}}',
      ['spec.containers[1].image'],
    ],
    ['{"a":{},"b":[],"\\u0061":null}', ['a']],
    ['[[],[{"a":true,"a":false}]]', ['[1][0].a']],
    ['"text"', []],
  ])('of %s', (text, expected) => {
    expect(duplicateFields(text)).toEqual(expected);
    expect(namesTwice(text, JSON.parse(text)), 'the quick look agrees').toBe(expected.length > 0);
  });
});
