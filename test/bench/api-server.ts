// The API server under load, over real HTTPS with client certificates and RBAC, beside a bare server of Node that does the
// same work without Kubernetes. Server, baseline and load are each a process of their own.
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueCertificate } from '../../src/pki/authority.js';
import { startChild } from './api/child.js';
import { compileInto } from './api/compile.js';
import type { Child, Memory } from './api/child.js';
import type { Question, Times } from './api/load.js';
import type { Endpoint } from './api/wire.js';
import { median, quartileSpread } from './benchmark.js';
import type { Benchmark, Row } from './benchmark.js';

const objects = 10_000;
const clients = 32;
const createsARound = 2000;
const getsARound = 2000;
const listsARound = 3;
const watchers = 100;
const eventsARound = 60;
const rounds = 5;
const lifetime = 24 * 60 * 60 * 1000;
const tmpfs = 0x01021994;
const mebibyte = 1024 * 1024;

type Spread<T> = T extends unknown ? Omit<T, 'endpoint'> : never;
type Work = Spread<Question>;

interface Side {
  readonly endpoint: Endpoint;
  readonly server: Child;
}

const credentials = () => {
  const now = Date.now();
  const authority = createAuthority({ commonName: 'bench', now, validDays: 2 });
  const issue = (commonName: string, usages: readonly ('client' | 'server')[]) =>
    issueCertificate(authority, {
      subject: { commonName, organizations: ['benchmarks'] },
      usages,
      addresses: ['127.0.0.1'],
      now,
      lifetime,
    });
  return {
    ca: authority.certificate,
    server: issue('kube-apiserver', ['server']),
    client: issue('bench', ['client']),
  };
};

/** CPU time is what a busy machine distorts least. */
interface Measured extends Times {
  readonly cpuMs: number;
}

class Bench {
  readonly #load: Child;
  readonly #signal: AbortSignal;

  constructor(
    readonly capstan: Side,
    readonly bare: Side,
    load: Child,
    signal: AbortSignal,
  ) {
    this.#load = load;
    this.#signal = signal;
  }

  /** With the CPU time that the server took for it. */
  async run({ endpoint, server }: Side, work: Work): Promise<Measured> {
    this.#signal.throwIfAborted();
    const { cpu } = await server.ask<Memory>('memory');
    const times = await this.#load.ask<Times>({ ...work, endpoint });
    return { ...times, cpuMs: (await server.ask<Memory>('memory')).cpu - cpu };
  }

  /** Both sides one right after the other, some times. */
  async pairs(
    work: (round: number) => Work,
    times = rounds,
  ): Promise<readonly (readonly [Measured, Measured])[]> {
    const found: (readonly [Measured, Measured])[] = [];
    for (let round = 0; round < times; round += 1) {
      const bare = await this.run(this.bare, work(round));
      found.push([await this.run(this.capstan, work(round)), bare]);
    }
    return found;
  }
}

const at = ({ times }: Times, share: number): number =>
  times[Math.floor((times.length - 1) * share)] ?? Number.NaN;

type Figure = Omit<Row, 'value' | 'baselineValue' | 'ratio' | 'spread' | 'baseline'>;

const row = (
  pairs: readonly (readonly [Measured, Measured])[],
  figureOf: (times: Measured) => number,
  figure: Figure,
): Row => {
  const values = pairs.map(([capstan]) => figureOf(capstan));
  const baselines = pairs.map(([, bare]) => figureOf(bare));
  const ratios = values.map((value, index) => value / (baselines[index] ?? Number.NaN));
  return {
    baseline: 'bare Node HTTPS + fdatasync',
    ...figure,
    value: median(values),
    baselineValue: median(baselines),
    ratio: median(ratios),
    spread: quartileSpread(ratios),
  };
};

const memoryRow = async ({ capstan, bare }: Bench): Promise<Row> => {
  const { resident } = await capstan.server.ask<Memory>('memory');
  const { resident: other } = await bare.server.ask<Memory>('memory');
  return {
    figure: `memory of the API server with ${objects.toLocaleString('en-US')} pods`,
    value: resident / mebibyte,
    unit: 'MiB',
    baseline: 'bare Node HTTPS with the same bodies',
    baselineValue: other / mebibyte,
    ratio: resident / other,
    aim: '≤ 350 MiB',
    note: 'resident, after they were created by 32 clients',
  };
};

const measure = async (bench: Bench, onDisk: boolean): Promise<readonly Row[]> => {
  const fill: Work = { type: 'creates', clients, count: objects, prefix: 'fill' };
  for (const side of [bench.bare, bench.capstan]) await bench.run(side, fill);
  const memory = await memoryRow(bench);
  const creates = await bench.pairs((round) => ({
    type: 'creates',
    clients,
    count: createsARound,
    prefix: `create-${String(round)}`,
  }));
  const gets = await bench.pairs(() => ({ type: 'gets', name: 'fill-77', count: getsARound }));
  const http2 = await Promise.all([
    bench.run(bench.capstan, { type: 'http2-gets', name: 'fill-77', count: getsARound }),
  ]);
  const lists = await bench.pairs(() => ({ type: 'lists', count: listsARound }));
  const watches = await bench.pairs(
    (round) => ({
      type: 'watches',
      watchers,
      events: eventsARound,
      prefix: `watch-${String(round)}`,
      pauseMs: 10,
    }),
    3,
  );
  const total = objects + rounds * createsARound;
  const listed = lists[0]?.[0].bytes ?? 0;
  const durable = onDisk ? 'durable' : 'in memory (tmpfs), so nothing is synced';
  return [
    row(creates, ({ perSecond }) => perSecond, {
      figure: 'creates of pods, 32 clients',
      unit: '/s',
      aim: '≥ 3,000/s',
      note: durable,
    }),
    row(creates, (times) => at(times, 0.5), { figure: 'creates of pods, p50', unit: 'ms' }),
    row(creates, ({ cpuMs }) => cpuMs / createsARound, {
      figure: 'CPU of the server for a create',
      unit: 'ms',
      aim: '≤ 0.33 ms',
    }),
    row(gets, ({ cpuMs }) => cpuMs / getsARound, { figure: 'CPU of the server for a GET', unit: 'ms' }),
    row(gets, (times) => at(times, 0.5), {
      figure: 'GET of a pod, one client, p50',
      unit: 'ms',
      aim: '≤ 0.4 ms',
    }),
    row(gets, (times) => at(times, 0.99), { figure: 'GET of a pod, one client, p99', unit: 'ms' }),
    row([[http2[0], gets[0]?.[0] as Measured]], (times) => at(times, 0.5), {
      figure: 'GET of a pod over HTTP/2, p50',
      unit: 'ms',
      note: 'beside HTTP/1.1 of the same server',
    }),
    row(lists, (times) => at(times, 0.5) * (objects / total), {
      figure: 'LIST of 10,000 pods',
      unit: 'ms',
      aim: '≤ 80 ms',
      note: `measured with ${total.toLocaleString('en-US')} pods of ${String(Math.round(listed / total))} bytes, in proportion`,
    }),
    row(watches, (times) => at(times, 0.5), {
      figure: 'create to event, 100 watchers, p50',
      unit: 'ms',
      aim: '≤ 2 ms',
    }),
    row(watches, (times) => at(times, 0.99), {
      figure: 'create to event, 100 watchers, p99',
      unit: 'ms',
      aim: '< 10 ms',
    }),
    memory,
  ];
};

export const apiServer: Benchmark = {
  name: 'api-server',
  run: async (signal) => {
    const directory = await mkdtemp(join(tmpdir(), 'capstan-bench-'));
    const folder = compileInto(join(directory, 'program'));
    const { ca, server, client } = credentials();
    const children: Child[] = [];
    const start = async (module: string): Promise<Side> => {
      const child = startChild(folder, module);
      children.push(child);
      const dataDir = join(directory, module);
      await mkdir(dataDir);
      const port = await child.ask<number>({ dataDir, ca, server });
      return { server: child, endpoint: { port, ca, cert: client.certificate, key: client.key } };
    };
    try {
      const [capstan, bare] = [await start('capstan-server'), await start('bare-server')];
      const load = startChild(folder, 'load');
      children.push(load);
      return await measure(new Bench(capstan, bare, load, signal), (await statfs(directory)).type !== tmpfs);
    } finally {
      for (const child of children) await child.stop();
      await rm(directory, { recursive: true, force: true });
    }
  },
};
