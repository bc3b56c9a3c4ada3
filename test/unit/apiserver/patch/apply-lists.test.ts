import { describe, expect, it } from 'vitest';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { apply, owners, refusal, update, type Live } from './ownership.js';

const podWith = (spec: object): object => ({ metadata: { name: 'p', namespace: 'shop' }, spec });
const containersOf = (object: Live): unknown => (object['spec'] as { containers: unknown }).containers;

describe('lists whose elements have owners', () => {
  const named = (...names: string[]): object => podWith({ containers: names.map((name) => ({ name })) });
  const namesIn = (object: Live): string =>
    (containersOf(object) as { name: string }[]).map(({ name }) => name).join('');

  it.each([
    ['abc', 'abc', 'abc'],
    ['abc', 'cba', 'cba'],
    ['abc', 'c', 'abc'],
    ['abc', 'd', 'abcd'],
    ['abc', 'db', 'adbc'],
    ['abc', 'bd', 'abcd'],
    ['abcd', 'dx', 'abcdx'],
    ['abcd', 'xd', 'abcxd'],
    ['abcd', 'db', 'acdb'],
    ['', 'ba', 'ba'],
  ])('when %s stand there and %s are applied, they stand as %s', (there, applied, expected) => {
    const live = apply(pods, undefined, named(...there.split('')), { manager: 'other' });
    expect(namesIn(apply(pods, live, named(...applied.split(''))))).toBe(expected);
  });

  it('follow the order that their only manager applies', () => {
    const live = apply(pods, undefined, named('a', 'b', 'c'));
    expect(namesIn(apply(pods, live, named('c', 'd', 'a')))).toBe('cda');
  });

  it('fill in the keys that are left out', () => {
    const ports = (port: object): object => podWith({ containers: [{ name: 'a', ports: [port] }] });
    const live = apply(pods, undefined, ports({ containerPort: 53, protocol: 'TCP', name: 'dns' }));
    const next = apply(pods, live, ports({ containerPort: 53, name: 'dns' }));
    expect(containersOf(next)).toEqual([{ name: 'a', ports: [{ containerPort: 53, name: 'dns' }] }]);
    const both = apply(pods, live, ports({ containerPort: 53, protocol: 'UDP' }), { manager: 'other' });
    expect(containersOf(both)).toMatchObject([
      { ports: [{ protocol: 'TCP' }, { containerPort: 53, protocol: 'UDP' }] },
    ]);
  });

  it('keep a live element that stands there twice, as Kubernetes keeps doubled variables', () => {
    const env = [
      { name: 'X', value: '1' },
      { name: 'X', value: '2' },
    ];
    const made = update(pods, undefined, {
      apiVersion: 'v1',
      kind: 'Pod',
      ...podWith({ containers: [{ name: 'a', env }] }),
    });
    const next = apply(pods, made, podWith({ containers: [{ name: 'a', image: 'a:1' }] }));
    expect(containersOf(next)).toEqual([{ name: 'a', env, image: 'a:1' }]);
    expect(() => owners(next)).not.toThrow();
  });

  it('refuse elements that are applied twice or lack their key', () => {
    expect(refusal(() => apply(pods, undefined, named('a', 'a')))).toMatchObject({
      code: 'BadRequest',
      message: expect.stringContaining('duplicate entries for key [name="a"]') as string,
    });
    expect(refusal(() => apply(pods, undefined, podWith({ containers: [{ image: 'x' }] }))).message).toBe(
      'an element of a list lacks what it is known by (name): {"image":"x"}',
    );
    const structured = { metadata: { name: 'p', finalizers: [{}] } };
    expect(refusal(() => apply(pods, undefined, structured)).message).toContain('must be a plain value');
  });

  it('hold values as sets', () => {
    const finalizers = (...list: string[]): object => ({ metadata: { name: 'p', finalizers: list } });
    const first = apply(pods, undefined, finalizers('a/x', 'b/x'));
    const second = apply(pods, first, finalizers('b/x', 'c/x'), { manager: 'other' });
    expect(second.metadata.finalizers).toEqual(['a/x', 'b/x', 'c/x']);
    const third = apply(pods, second, finalizers('a/x'));
    expect(third.metadata.finalizers).toEqual(['a/x', 'b/x', 'c/x']);
    expect(apply(pods, third, finalizers(), { manager: 'other' }).metadata.finalizers).toEqual(['a/x']);
  });
});
