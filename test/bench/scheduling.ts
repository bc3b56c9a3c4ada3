// Pods that wait for a scheduler: how many a second it gives a node, each binding durable on disk before it counts. The
// baseline is the bare cost of as many durable bindings, without a scheduler that decides them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { admissionPlugins } from '../../src/apiserver/admission/plugins.js';
import { createAuthorizer } from '../../src/apiserver/authorize/authorizer.js';
import { bootstrap } from '../../src/apiserver/bootstrap.js';
import { createLocalCluster } from '../../src/apiserver/local-cluster.js';
import { createRegistry } from '../../src/apiserver/store-registry.js';
import { silent } from '../../src/base/log.js';
import type { Cluster } from '../../src/client/cluster.js';
import { createInformers } from '../../src/client/informers.js';
import { openLmdbEngine } from '../../src/host/lmdb/lmdb-engine.js';
import { randomIds } from '../../src/host/random-ids.js';
import { systemClock } from '../../src/host/system-clock.js';
import { createClusterExecutor } from '../../src/reconcile/cluster-executor.js';
import { DecisionLog } from '../../src/reconcile/decision-log.js';
import { createEventRecorder } from '../../src/reconcile/event-recorder.js';
import { kinds } from '../../src/resources/kinds.js';
import { nodes } from '../../src/resources/kinds/nodes.js';
import { pods } from '../../src/resources/kinds/pods.js';
import { createScheduler } from '../../src/scheduler/scheduler.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { median, quartileSpread, type Benchmark, type Row } from './benchmark.js';

const podsPerRun = 5000;
const repetitions = 3;
const startMs = 60_000;

const zoneOf = (index: number): string => `zone-${String(index % 3)}`;

const inBatches = async (count: number, make: (index: number) => Promise<unknown>): Promise<void> => {
  const width = 256;
  for (let from = 0; from < count; from += width)
    await Promise.all(
      Array.from({ length: Math.min(width, count - from) }, (_, index) => make(from + index)),
    );
};

const addNodes = (cluster: Cluster, count: number): Promise<void> =>
  inBatches(count, async (index) => {
    const name = `node-${String(index)}`;
    const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': zoneOf(index) };
    const created = await cluster.create(nodes, { metadata: { name, labels }, spec: {} });
    const allocatable = { cpu: '32', memory: '64Gi', pods: '110' };
    await cluster.updateStatus(nodes, { ...created, status: { allocatable, capacity: allocatable } });
  });

const spreading = (app: string): object => ({
  topologySpreadConstraints: [
    {
      maxSkew: 5,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app } },
    },
  ],
});

type Shape = 'equal' | 'spread';

const addPods = (cluster: Cluster, shape: Shape): Promise<void> =>
  inBatches(podsPerRun, (index) => {
    const app = `app-${String(index % 20)}`;
    return cluster.create(pods, {
      metadata: { name: `pod-${String(index)}`, namespace: 'default', labels: { app } },
      spec: {
        containers: [
          { name: 'main', image: 'app:1', resources: { requests: { cpu: '100m', memory: '64Mi' } } },
        ],
        ...(shape === 'spread' ? spreading(app) : {}),
      },
    });
  });

interface Outcome {
  readonly boundPerSecond: number;
  readonly bareBindsPerSecond: number;
}

const measure = async (nodeCount: number, shape: Shape, signal: AbortSignal): Promise<Outcome> => {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-bench-'));
  const end = new AbortController();
  const lifetime = AbortSignal.any([signal, end.signal]);
  const store = new MvccStore(await openLmdbEngine(join(folder, 'store'), { program: 'bench' }));
  const running: Promise<unknown>[] = [];
  try {
    const registry = createRegistry({
      store,
      clock: systemClock,
      ids: randomIds,
      admission: admissionPlugins({
        store,
        serviceCidr: '10.96.0.0/16',
        lifetime,
        authorizer: createAuthorizer({ store, lifetime }),
      }),
      log: silent,
    });
    await bootstrap(registry, { serviceCidr: '10.96.0.0/16', apiPort: 6443, apiAddress: '127.0.0.1' });
    const cluster = createLocalCluster(registry, { user: 'bench', groups: ['system:masters'] });
    await addNodes(cluster, nodeCount);
    await addPods(cluster, shape);
    const informers = createInformers({
      cluster,
      kinds,
      clock: systemClock,
      log: silent,
      random: randomIds.random,
    });
    running.push(informers.run(lifetime));
    await informers.ready(lifetime);
    const events = createEventRecorder({ cluster, clock: systemClock, log: silent, component: 'scheduler' });
    running.push(events.run(lifetime));
    const scheduler = createScheduler({
      informers,
      executor: createClusterExecutor({ cluster, events, fieldManager: 'scheduler' }),
      clock: systemClock,
      log: silent,
      decisions: new DecisionLog(),
    });
    const bound = new Promise<void>((resolve, reject) => {
      let left = podsPerRun;
      informers.subscribe(pods, ({ object, previous }) => {
        if ((object.spec.nodeName ?? '') === '' || (previous?.spec.nodeName ?? '') !== '') return;
        left -= 1;
        if (left === 0) resolve();
      });
      lifetime.addEventListener('abort', () => reject(new Error('ended early')), { once: true });
      AbortSignal.timeout(startMs).addEventListener('abort', () =>
        reject(new Error(`${String(left)} pods not bound in ${String(startMs)} ms`)),
      );
    });
    const start = performance.now();
    running.push(scheduler.run(lifetime));
    await bound;
    const elapsed = performance.now() - start;
    // As many bindings again, of new pods, with the answer given: what the cluster itself costs.
    const names = Array.from({ length: podsPerRun }, (_, index) => `bare-${String(index)}`);
    const uids: string[] = [];
    await inBatches(podsPerRun, async (index) => {
      const created = await cluster.create(pods, {
        metadata: { name: names[index]!, namespace: 'default' },
        spec: { schedulerName: 'nobody', containers: [{ name: 'main', image: 'app:1' }] },
      });
      uids[index] = created.metadata.uid;
    });
    const bareStart = performance.now();
    await inBatches(podsPerRun, (index) =>
      cluster.bind(
        { name: names[index]!, namespace: 'default', uid: uids[index]! },
        `node-${String(index % nodeCount)}`,
      ),
    );
    const bare = performance.now() - bareStart;
    return { boundPerSecond: (1000 * podsPerRun) / elapsed, bareBindsPerSecond: (1000 * podsPerRun) / bare };
  } finally {
    end.abort();
    await Promise.allSettled(running);
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
};

const row = async (nodeCount: number, shape: Shape, aim: string, signal: AbortSignal): Promise<Row> => {
  const outcomes: Outcome[] = [];
  for (let index = 0; index < repetitions; index += 1) outcomes.push(await measure(nodeCount, shape, signal));
  const ratios = outcomes.map(
    ({ boundPerSecond, bareBindsPerSecond }) => boundPerSecond / bareBindsPerSecond,
  );
  return {
    figure: `${shape} pods bound, ${String(nodeCount)} nodes`,
    value: median(outcomes.map(({ boundPerSecond }) => boundPerSecond)),
    unit: 'pods/s',
    baseline: 'bare durable bindings',
    baselineValue: median(outcomes.map(({ bareBindsPerSecond }) => bareBindsPerSecond)),
    ratio: median(ratios),
    spread: quartileSpread(ratios),
    aim,
  };
};

export const scheduling: Benchmark = {
  name: 'scheduling',
  run: async (signal) => [
    await row(1000, 'equal', '≥ 5,000/s', signal),
    await row(5000, 'equal', '≥ 2,000/s', signal),
    await row(1000, 'spread', '≥ 2,000/s', signal),
  ],
};
