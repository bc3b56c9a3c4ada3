import { describe, expect, it } from 'vitest';
import { ClusterError } from '../../../src/base/errors.js';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { ContainerTable } from '../../../src/node/container-table.js';
import { label } from '../../../src/node/labels.js';
import type { Container, Stats } from '../../../src/node/runtime.js';
import { UsageMeter } from '../../../src/node/usage-meter.js';

const start = Date.parse('2025-01-01T00:00:00Z');
const mebi = 1024 * 1024;

const container = (id: string, pod: string, state: Container['state'] = 'running'): Container =>
  ({
    id,
    state,
    startedAt: start,
    labels: {
      [label.kind]: id.startsWith('sandbox') ? 'sandbox' : 'container',
      [label.podUid]: pod,
      [label.podName]: `pod-${pod}`,
      [label.podNamespace]: 'shop',
      [label.container]: id,
    },
  }) as unknown as Container;

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Containers that use a fixed part of a core each, by their ids. */
const measured = (cores: Readonly<Record<string, number>>, machineUsage?: () => Promise<Stats>) => {
  const clock = new ManualClock(start);
  const table = new ContainerTable(() => undefined);
  const asked: string[] = [];
  const runtime = {
    stats: (id: string): Promise<Stats> => {
      asked.push(id);
      const used = cores[id];
      if (used === undefined) return Promise.reject(new ClusterError('NotFound', `No such container: ${id}`));
      const at = clock.now();
      return Promise.resolve({ cpuNanos: used * (at - start) * 1e6, workingSetBytes: 8 * mebi, at });
    },
  };
  const meter = new UsageMeter({ nodeName: 'n1', runtime, table, clock, machineUsage });
  const summary = async () => {
    const answer = meter.summary(new AbortController().signal);
    for (let turn = 0; turn < 3; turn++) {
      await settled();
      if (clock.next !== undefined) await clock.advance(clock.next - clock.now(), settled);
    }
    return answer;
  };
  return { clock, table, asked, meter, summary };
};

describe('the first answer', () => {
  it('compares two readings a second apart', async () => {
    const { table, asked, summary } = measured({ web: 0.25 });
    table.put(container('web', 'a'));
    const { pods, node } = await summary();
    expect(asked).toEqual(['web', 'web']);
    expect(pods).toEqual([
      {
        podRef: { name: 'pod-a', namespace: 'shop', uid: 'a' },
        containers: [
          {
            name: 'web',
            startTime: '2025-01-01T00:00:00Z',
            cpu: {
              time: '2025-01-01T00:00:01Z',
              usageNanoCores: 250_000_000,
              windowMs: 1000,
              usageCoreNanoSeconds: 250_000_000,
            },
            memory: { time: '2025-01-01T00:00:01Z', workingSetBytes: 8 * mebi },
          },
        ],
      },
    ]);
    expect(node).toMatchObject({ nodeName: 'n1', cpu: { usageNanoCores: 250_000_000 } });
  });

  it('is one measurement for all who ask at once', async () => {
    const { table, asked, meter, summary } = measured({ web: 1 });
    table.put(container('web', 'a'));
    const other = meter.summary(new AbortController().signal);
    const [one, two] = [await summary(), await other];
    expect(two).toEqual(one);
    expect(asked).toEqual(['web', 'web']);
  });
});

describe('later answers', () => {
  it('come from memory for five seconds, then compare with the reading before', async () => {
    const { clock, table, asked, summary } = measured({ web: 0.5 });
    table.put(container('web', 'a'));
    await summary();
    await summary();
    expect(asked).toHaveLength(2);
    await clock.advance(10_000);
    const { pods } = await summary();
    expect(asked).toHaveLength(3);
    expect(pods[0]?.containers[0]?.cpu).toMatchObject({ usageNanoCores: 500_000_000, windowMs: 10_000 });
  });

  it('begin anew after a long silence', async () => {
    const { clock, table, asked, summary } = measured({ web: 0.5 });
    table.put(container('web', 'a'));
    await summary();
    await clock.advance(100_000);
    await summary();
    expect(asked).toHaveLength(4);
  });

  it('show a container that came meanwhile without a figure of CPU', async () => {
    const { clock, table, summary } = measured({ web: 0.5, late: 0.5 });
    table.put(container('web', 'a'));
    await summary();
    table.put(container('late', 'b'));
    await clock.advance(10_000);
    const late = (await summary()).pods.find(({ podRef }) => podRef.uid === 'b');
    expect(late?.containers[0]?.cpu.usageNanoCores).toBeUndefined();
  });
});

it('counts what runs for pods: no sandboxes, nothing that ended, nothing that is gone', async () => {
  const { table, summary } = measured({ web: 1 });
  table.put(container('web', 'a'));
  table.put(container('sandbox', 'a'));
  table.put(container('old', 'a', 'exited'));
  table.put(container('vanished', 'b'));
  const { pods } = await summary();
  expect(pods.map(({ containers }) => containers.map(({ name }) => name))).toEqual([['web']]);
});

it('a machine that can be measured is measured as a whole', async () => {
  let reading = 0;
  const { table, summary } = measured({ web: 1 }, () => {
    reading += 1;
    return Promise.resolve({
      cpuNanos: reading * 2e9,
      workingSetBytes: 64 * mebi,
      at: start + reading * 1000,
    });
  });
  table.put(container('web', 'a'));
  const { node } = await summary();
  expect([node.cpu.usageNanoCores, node.memory.workingSetBytes]).toEqual([2_000_000_000, 64 * mebi]);
});

it('who gives up does not end the measurement of the others', async () => {
  const { table, meter, summary } = measured({ web: 1 });
  table.put(container('web', 'a'));
  const leaving = new AbortController();
  const left = meter.summary(leaving.signal);
  const refused = expect(left).rejects.toThrow('gone');
  leaving.abort(new Error('gone'));
  expect((await summary()).pods).toHaveLength(1);
  await refused;
});
