import { describe, expect, it } from 'vitest';
import { KindTable, LiveView } from '../../../src/client/live-view.js';
import type { Index } from '../../../src/client/view.js';
import type { ConfigMap } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { createRandom, seeds } from '../../contract/random.js';

const map = (
  name: string,
  version: number,
  labels: Record<string, string> = {},
  namespace = 'a',
): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace,
    uid: `${namespace}/${name}`,
    resourceVersion: String(version),
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels,
  },
});

const byColour: Index<ConfigMap> = {
  name: 'by colour',
  kind: configmaps,
  keys: ({ metadata }) => Object.values(metadata.labels ?? {}),
};

const names = (objects: readonly ConfigMap[]): readonly string[] =>
  objects.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`).sort();

describe('a table of one kind', () => {
  it('hands out the object that it was given', () => {
    const table = new KindTable(configmaps);
    const object = map('x', 1);
    expect(table.put(object)).toMatchObject({ type: 'added', previous: undefined });
    expect(table.get({ name: 'x', namespace: 'a' })).toBe(object);
  });

  it('ignores what is older than what it shows', () => {
    const table = new KindTable(configmaps);
    table.put(map('x', 5));
    expect(table.put(map('x', 4))).toBeUndefined();
    expect(table.put(map('x', 5))).toBeUndefined();
    expect(table.put(map('x', 6))?.type).toBe('modified');
    expect(table.revision).toBe(6);
  });

  it('tells of an object that was replaced by another of its name as gone and come', () => {
    const table = new KindTable(configmaps);
    table.put(map('x', 1));
    const other = { ...map('x', 9), metadata: { ...map('x', 9).metadata, uid: 'other' } };
    expect([...table.replace([other], 10)].map(({ type }) => type)).toEqual(['deleted', 'added']);
  });

  it('lists by namespace', () => {
    const table = new KindTable(configmaps);
    for (const namespace of ['a', 'b']) for (const name of ['x', 'y']) table.put(map(name, 1, {}, namespace));
    expect(table.list('a')).toHaveLength(2);
    expect(table.list()).toHaveLength(4);
    table.remove({ name: 'x', namespace: 'b' });
    table.remove({ name: 'y', namespace: 'b' });
    expect(table.list()).toHaveLength(2);
    expect(table.list('b')).toEqual([]);
  });
});

describe('a view', () => {
  it('refuses kinds that it was not made for', () => {
    const view = new LiveView([configmaps]);
    expect(() => view.list(pods)).toThrow('pods are not watched here');
  });

  it.each(seeds([1, 2, 3]))('finds by an index exactly what a scan finds (seed %i)', (seed) => {
    const random = createRandom(seed);
    const view = new LiveView([configmaps]);
    const table = view.table(configmaps);
    const colours = ['red', 'green', 'blue'];
    for (let version = 1; version < 2000; version += 1) {
      const name = `m${String(random.integer(20))}`;
      const namespace = random.pick(['a', 'b']);
      if (random.chance(0.3)) table.remove({ name, namespace });
      else if (random.chance(0.02)) {
        const kept = view.list(configmaps).filter(() => random.chance(0.5));
        for (const change of table.replace(kept, version)) expect(change.type).toBe('deleted');
      } else
        table.put(map(name, version, { one: random.pick(colours), two: random.pick(colours) }, namespace));
      const colour = random.pick(colours);
      const scanned = view.list(configmaps).filter((object) => byColour.keys(object).includes(colour));
      expect(names(view.lookup(byColour, colour))).toEqual(names(scanned));
    }
  });
});
