import { describe, expect, it } from 'vitest';
import { fieldSteps, parseYaml } from '../../../src/gitops/yaml-source.js';

const valueOf = (text: string): unknown => parseYaml('f.yaml', text).documents[0]?.value;

describe('YAML as kubectl reads it', () => {
  it.each([
    ['a: yes', { a: true }],
    ['a: "yes"', { a: 'yes' }],
    ['a: off', { a: false }],
    ['a: 0644', { a: 420 }],
    ['a: 0o644', { a: 420 }],
    ['a: 2020-01-01', { a: '2020-01-01' }],
    ['a: 10:20', { a: '10:20' }],
    ['a: 1e3', { a: 1000 }],
    ['a: ~', { a: null }],
    ['a: 1\na: 2', { a: 2 }],
    ['a: &x {b: 1}\nc:\n  <<: *x\n  d: 2', { a: { b: 1 }, c: { b: 1, d: 2 } }],
    ['a: |\n  one\n  two\n', { a: 'one\ntwo\n' }],
  ])('%s', (text, expected) => {
    expect(valueOf(text)).toEqual(expected);
  });

  it('skips empty documents and counts all of them', () => {
    const { documents } = parseYaml('f.yaml', '---\n---\na: 1\n---\n# nothing\n---\nb: 2\n');
    expect(documents.map(({ index, value }) => [index, value])).toEqual([
      [1, { a: 1 }],
      [3, { b: 2 }],
    ]);
  });

  it('says where a document does not parse, and reads the others', () => {
    const { documents, problems } = parseYaml('f.yaml', 'a: 1\n---\na: b\n c: d\n---\ne: 1\n');
    expect(documents).toHaveLength(2);
    expect(problems).toEqual([
      {
        file: 'f.yaml',
        line: 4,
        column: 2,
        message: expect.stringMatching(/^this is not valid YAML: /) as string,
      },
    ]);
  });

  it('refuses a bomb of aliases', () => {
    const lines = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [index, name] of ['b', 'c', 'd', 'e', 'f', 'g'].entries())
      lines.push(`${name}: &${name} [${Array(10).fill(`*${'abcdef'[index]!}`).join(',')}]`);
    const { documents, problems } = parseYaml('f.yaml', lines.join('\n'));
    expect(documents).toHaveLength(0);
    expect(problems[0]?.message).toMatch(/alias/i);
  });

  it('finds the place of fields, through lists, aliases and keys with dots', () => {
    const text =
      'spec:\n  list:\n    - a: 1\n    - b: {c: 2}\n  labels:\n    x.y/z: 3\n  m: &m\n    n: 4\n  k: *m\n';
    const [document] = parseYaml('f.yaml', text).documents;
    expect(document?.locate('spec.list[1].b.c')).toEqual({ line: 4, column: 11 });
    expect(document?.locate('spec.labels.x.y/z')).toEqual({ line: 6, column: 5 });
    expect(document?.locate('spec.k.n')).toEqual({ line: 9, column: 3 });
    expect(document?.locate('spec.absent.deeper')).toEqual({ line: 1, column: 1 });
    expect(document?.locate('spec.list[7]')).toEqual({ line: 2, column: 3 });
  });

  it('takes field paths apart', () => {
    expect(fieldSteps('spec.containers[0].env["a.b"].value')).toEqual([
      'spec',
      'containers',
      0,
      'env',
      'a.b',
      'value',
    ]);
    expect(fieldSteps('metadata.annotations[example.org/x]')).toEqual([
      'metadata',
      'annotations',
      'example.org/x',
    ]);
  });
});
