// Random pods with a field of every kind that ownership knows: maps, sets, keyed lists in keyed lists, atomic values.
import type { Random } from '../../../contract/random.js';

const some = <T>(random: Random, items: readonly T[], probability = 0.5): T[] =>
  items.filter(() => random.chance(probability));

const mapOf = (random: Random, keys: readonly string[]): object =>
  Object.fromEntries(some(random, keys).map((key) => [key, random.pick(['1', '2'])]));

const shuffled = <T>(random: Random, items: readonly T[]): T[] =>
  [...items]
    .map((item) => ({ item, at: random.integer(1000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

const isFilled = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || Object.keys(value).length > 0;

/** Without empty maps and lists, whose presence says nothing. */
const filled = (object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => isFilled(value)));

const optional = (random: Random, name: string, value: unknown): object =>
  random.chance(0.4) ? { [name]: value } : {};

const container = (random: Random, name: string): object =>
  filled({
    name,
    ...optional(random, 'image', random.pick(['i:1', 'i:2'])),
    ...optional(random, 'args', random.pick([['x'], ['x', 'y']])),
    env: shuffled(random, some(random, ['A', 'B', 'C'], 0.4)).map((key) => ({
      name: key,
      ...optional(random, 'value', random.pick(['1', '2'])),
    })),
  });

export const randomPod = (random: Random): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    ...filled({
      labels: mapOf(random, ['x', 'y']),
      annotations: mapOf(random, ['z']),
      finalizers: shuffled(random, some(random, ['f/1', 'f/2', 'f/3'], 0.3)),
    }),
  },
  ...filled({
    spec: filled({
      ...optional(random, 'hostname', random.pick(['h1', 'h2'])),
      ...optional(random, 'nodeSelector', random.pick([{ a: '1' }, { b: '1' }])),
      ...optional(random, 'tolerations', random.pick([[{ key: 'a' }], [{ key: 'b' }]])),
      securityContext: filled({
        ...optional(random, 'runAsUser', random.integer(2)),
        ...optional(random, 'runAsGroup', random.integer(2)),
      }),
      containers: shuffled(random, some(random, ['a', 'b', 'c'])).map((name) => container(random, name)),
    }),
  }),
});
