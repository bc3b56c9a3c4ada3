// A node that is short of something: conditions, who leaves, which images go, limits of pods' own.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { HollowEngine } from '../../../src/host/hollow/hollow-engine.js';
import { createHollowFiles } from '../../../src/host/hollow/hollow-files.js';
import { bytesToFree, imagesToRemove } from '../../../src/node/pressure/image-collection.js';
import type { StoredImage } from '../../../src/node/pressure/image-collection.js';
import { beyondOwnLimit, rankForEviction } from '../../../src/node/pressure/ranking.js';
import type { PodUsage } from '../../../src/node/pressure/ranking.js';
import { noted, pressuresOf, shortagesOf, transitionMs } from '../../../src/node/pressure/signals.js';
import type { NodeMeasure, Shortage } from '../../../src/node/pressure/signals.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import type { PodSpec } from '../../../src/resources/generated/types.js';
import { AgentHarness, condition } from './agent-harness.js';
import { hollow, turns } from './hollow-node.js';
import { pod } from './pod-picture-setup.js';

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

const roomy: NodeMeasure = {
  memory: { available: 4 * gibibyte, capacity: 8 * gibibyte },
  disk: { available: 50 * gibibyte, capacity: 100 * gibibyte },
  inodes: { available: 900, capacity: 1000 },
  pids: { available: 30_000, capacity: 32_768 },
};
const short = (part: keyof NodeMeasure, available: number): NodeMeasure => ({
  ...roomy,
  [part]: { ...roomy[part], available },
});

describe('what a node is short of', () => {
  it.each<[string, NodeMeasure, readonly string[]]>([
    ['nothing', roomy, []],
    ['memory below 100Mi', short('memory', 90 * mebibyte), ['MemoryPressure']],
    ['a tenth of the disk', short('disk', 9 * gibibyte), ['DiskPressure']],
    ['inodes', short('inodes', 40), ['DiskPressure']],
    ['process numbers', short('pids', 100), ['PIDPressure']],
    ['no inodes where none are counted', { ...roomy, inodes: { available: 0, capacity: 0 } }, []],
  ])('%s', (_name, measure, expected) => {
    expect(shortagesOf(measure).map(({ pressure }) => pressure)).toEqual(expected);
  });
  it('is told for five minutes after the last shortage', () => {
    const last = noted({}, shortagesOf(short('disk', 0)), 1000);
    expect([...pressuresOf(last, 1000 + transitionMs - 1)]).toEqual(['DiskPressure']);
    expect([...pressuresOf(last, 1000 + transitionMs)]).toEqual([]);
  });
});

const usage = (name: string, memoryBytes: number, spec: Partial<PodSpec> = {}, diskBytes = 0): PodUsage => ({
  pod: pod({ containers: [{ name: 'c', image: 'x' }], ...spec }, { name }),
  memoryBytes,
  diskBytes,
  volumeBytes: new Map([['cache', diskBytes]]),
});
const requesting = (memory: string, more: Partial<PodSpec> = {}): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'x', resources: { requests: { memory } } }],
  ...more,
});

describe('who leaves first', () => {
  const memory: Shortage = { pressure: 'MemoryPressure', resource: 'memory', available: 0, least: 1 };
  it('is who uses more than was asked for, then who matters less, then who is farthest beyond', () => {
    const ranked = rankForEviction(
      [
        usage('within', 900 * mebibyte, requesting('1Gi')),
        usage('important', 500 * mebibyte, { priority: 1000 }),
        usage('little', 10 * mebibyte),
        usage('much', 300 * mebibyte),
        usage('critical', 5 * gibibyte, { priority: 2_000_001_000 }),
      ],
      memory,
    );
    expect(ranked.map(({ pod: { metadata } }) => metadata.name)).toEqual([
      'much',
      'little',
      'important',
      'within',
    ]);
  });
  it('is who wrote more than its own limits say, whatever the node has', () => {
    const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '10Mi' } }];
    expect(beyondOwnLimit(usage('a', 0, { volumes }, 5 * mebibyte))).toBeUndefined();
    expect(beyondOwnLimit(usage('a', 0, { volumes }, 11 * mebibyte))?.message).toContain(
      '"cache" exceeds the limit "10Mi"',
    );
    const limited = {
      containers: [{ name: 'c', image: 'x', resources: { limits: { 'ephemeral-storage': '1Mi' } } }],
    };
    expect(beyondOwnLimit(usage('a', 0, limited, 2 * mebibyte))?.message).toContain(
      'exceeds the total limit of containers 1Mi',
    );
  });
});

describe('images', () => {
  const image = (id: string, sizeBytes: number, pulled = true): StoredImage => ({ id, sizeBytes, pulled });
  it('go when the disk is 85 % full, down to 80 %', () => {
    expect(bytesToFree({ available: 20, capacity: 100 })).toBe(0);
    expect(bytesToFree({ available: 10, capacity: 100 })).toBe(10);
  });
  it('that are used, new, or made here stay; the longest unused go first, and no more than needed', () => {
    const now = 1_000_000;
    const images = [
      image('old', 5),
      image('older', 5),
      image('used', 5),
      image('local', 5, false),
      image('new', 5),
    ];
    const lastUsed = new Map([
      ['old', now - 500_000],
      ['older', now - 900_000],
      ['used', now - 900_000],
      ['local', now - 900_000],
      ['new', now - 1000],
    ]);
    const facts = { images, inUse: new Set(['used']), lastUsed, now };
    expect(imagesToRemove(facts, 4).map(({ id }) => id)).toEqual(['older']);
    expect(imagesToRemove(facts, Infinity).map(({ id }) => id)).toEqual(['older', 'old']);
  });
});

describe('an agent on a node that runs short', () => {
  const clock = new ManualClock();
  let engine: HollowEngine;
  let node: AgentHarness;
  let measure: NodeMeasure;
  let images: StoredImage[];
  const advance = (ms: number): Promise<void> => clock.advance(ms, turns);

  beforeEach(async () => {
    measure = roomy;
    images = [];
    engine = new HollowEngine({ clock });
    node = await AgentHarness.open({
      clock,
      runtime: engine.runtime,
      prober: engine.prober,
      files: createHollowFiles(),
      engine: 'hollow',
      podCIDR: '10.244.3.0/24',
      sensor: { measure: () => Promise.resolve(measure) },
      images: {
        list: () => Promise.resolve(images),
        remove: (id) => {
          images = images.filter((each) => each.id !== id);
          measure = roomy;
          return Promise.resolve(true);
        },
      },
    });
    await turns();
    await advance(100);
  });
  afterEach(() => node.close());

  const web = { name: 'web', image: 'web:1' };

  it('says so, and evicts one pod at a time until there is room', async () => {
    await node.createPod('small', { containers: [web] }, { annotations: hollow('memory', '10Mi') });
    await node.createPod('large', { containers: [web] }, { annotations: hollow('memory', '900Mi') });
    await advance(100);
    measure = short('memory', 20 * mebibyte);
    await advance(10_000);
    const large = await node.pod('large');
    expect(large.status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
    expect(large.status?.message).toContain('The node was low on resource: memory');
    expect(condition(large, 'DisruptionTarget')).toBe('True');
    expect((await node.pod('small')).status?.phase).toBe('Running');
    const { status } = await node.cluster.get(nodes, { name: 'n1' });
    expect(status?.conditions?.find(({ type }) => type === 'MemoryPressure')?.status).toBe('True');
    measure = roomy;
    await advance(transitionMs + 20_000);
    const later = await node.cluster.get(nodes, { name: 'n1' });
    expect(later.status?.conditions?.find(({ type }) => type === 'MemoryPressure')?.status).toBe('False');
    expect((await node.pod('small')).status?.phase).toBe('Running');
    expect(engine.containers.filter(({ fact }) => fact.state === 'running')).toHaveLength(2);
  });

  it('removes unused images before it evicts anybody', async () => {
    await node.createPod('web', { containers: [web] });
    images = [{ id: 'sha256:old', sizeBytes: gibibyte, pulled: true }];
    measure = { ...roomy, disk: { available: 14 * gibibyte, capacity: 100 * gibibyte } };
    // Seen for the first time now; it may be about to be used.
    await advance(60_000);
    expect(images).toHaveLength(1);
    await advance(120_000);
    expect(images).toEqual([]);
    expect((await node.pod('web')).status?.phase).toBe('Running');
  });
});
