import { describe, expect, it } from 'vitest';
import { locateField, readManifests } from '../../../src/gitops/manifest-file.js';
import { kinds } from '../../../src/resources/kinds.js';
import { configMap, deployment } from './git-cluster.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => readManifests(bytes(text), { kinds });
const firstProblem = (text: string): string => {
  const [problem] = read(text).problems;
  return problem === undefined ? '' : `${String(problem.line)}:${String(problem.column)}: ${problem.message}`;
};

describe('the manifests of a file', () => {
  it('are its documents, items of lists included', () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: z\n`;
    const { manifests, problems } = read(`${configMap('a')}---\n${list}`);
    expect(problems).toEqual([]);
    expect(manifests.map(({ name, position, place }) => [name, position, place])).toEqual([
      ['a', { line: 4, column: 3 }, { index: 0, item: '' }],
      ['x', { line: 11, column: 50 }, { index: 1, item: 'items[0]' }],
      ['z', { line: 15, column: 7 }, { index: 1, item: 'items[1]' }],
    ]);
  });

  it('may be JSON', () => {
    const { manifests } = read('{"apiVersion":"v1","kind":"ConfigMap",\n "metadata":{"name":"a"}}');
    expect(manifests).toMatchObject([{ name: 'a', position: { line: 2, column: 14 } }]);
  });

  it('carry nothing that only the server writes, and Secrets as data', () => {
    const [secret] = read(
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  uid: u\n  resourceVersion: "5"\n  labels: {a: b}\nstringData: {k: value}\ndata: {l: bA==}\n',
    ).manifests;
    expect(secret?.object).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', labels: { a: 'b' } },
      data: { l: 'bA==', k: 'dmFsdWU=' },
    });
  });

  it.each([
    ['a: b\n c: d\n', /^2:2: this is not valid YAML/],
    ['kind: ConfigMap\nmetadata: {name: a}\n', /^1:1: apiVersion is missing/],
    ['apiVersion: v1\nmetadata: {name: a}\n', /^1:1: kind is missing/],
    ['- a\n- b\n', /^1:1: this document is not an object/],
    [
      configMap('a').replace('ConfigMap', 'ConfigMpa'),
      /^2:1: there is no kind ConfigMpa in v1; did you mean ConfigMap\?$/,
    ],
    [
      deployment('a').replace('apps/v1', 'extensions/v1beta1'),
      /^2:1: there is no kind Deployment in extensions\/v1beta1; it is served as apps\/v1$/,
    ],
    [
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: a-\n',
      /^3:1: ConfigMap needs metadata.name: with generateName/,
    ],
    [
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namespace: b\n',
      /^5:3: Namespace a belongs to the whole cluster: remove metadata.namespace$/,
    ],
    [`${configMap('a')}dta: {}\n`, /^7:1: ConfigMap a: dta/],
    [deployment('a').replace('replicas: 2', 'replicas: two'), /^6:3: Deployment a: spec.replicas/],
    [deployment('a').replace('image: web:1', 'imagee: web:1'), /^15:11: Deployment a: .*imagee/],
    [
      configMap('y'),
      /^4:3: metadata.name of this ConfigMap is the boolean true and not text: put it in quotes$/,
    ],
    [configMap('Not_A_Name'), /^4:3: ConfigMap Not_A_Name: metadata.name/],
    [
      'apiVersion: capstan.dev/v1\nkind: Application\nmetadata: {name: a}\nspec: {path: x}\n',
      /^2:1: Application objects are written by Capstan itself/,
    ],
  ])('say what is wrong with %j, and where', (text, expected) => {
    expect(firstProblem(text)).toMatch(expected);
  });

  it('say that bytes are not text', () => {
    expect(readManifests(new Uint8Array([0xff, 0xfe, 0x00]), { kinds }).problems).toEqual([
      { line: 1, column: 1, message: expect.stringMatching(/not UTF-8/) as string },
    ]);
  });

  it('find the place of a field again when the API server refuses it', () => {
    const text = `${configMap('a')}---\n${deployment('b')}`;
    const manifest = read(text).manifests[1]!;
    expect(locateField(bytes(text), manifest, 'spec.template.spec.containers[0].image')).toEqual({
      line: 22,
      column: 11,
    });
  });
});
