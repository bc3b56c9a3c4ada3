// Network policies in a real kernel: every pair of eight pods on two hosts against what the specification says, through
// the pods' own addresses and through a service, and connections that end when a policy forbids them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConnections } from '../../src/host/datapath/connections.js';
import { createConntrack } from '../../src/host/datapath/conntrack.js';
import { NftablesDatapath } from '../../src/host/datapath/nftables.js';
import { NftablesPolicies } from '../../src/host/datapath/nftables-policies.js';
import { createPodBridge } from '../../src/host/datapath/pod-bridge.js';
import { createVxlan } from '../../src/host/datapath/vxlan.js';
import { silent } from '../../src/base/log.js';
import type { Frontend, LocalNode } from '../../src/network/datapath.js';
import { compilePolicies } from '../../src/network/policy/compile.js';
import { forbids } from '../../src/network/policy/policy-state.js';
import type { NetworkPolicy } from '../../src/resources/generated/types.js';
import { namespace, pod, policy, specified, type World } from '../unit/network/policy/policy-fixtures.js';
import { hostAddress, podAddress, podCidr, serviceCidr, startLab, subnet, type Lab } from './network-lab.js';

const signal = new AbortController().signal;
const table = 'capstan-test-policies';
const vip = '10.96.0.10';
const port = 8080;

let lab: Lab;
const datapaths: NftablesPolicies[] = [];

const places = [1, 2].flatMap((host) => [1, 2, 3, 4].map((index) => ({ host, index })));
const pods = places.map(({ host, index }) =>
  pod(`h${host}p${index}`, podAddress(host, index), {
    namespace: index < 3 ? 'a' : 'b',
    labels: { app: index % 2 === 1 ? 'web' : 'db', host: `h${host}` },
    node: `h${host}`,
    ports: [{ name: 'http', containerPort: port }],
  }),
);
const world = (policies: readonly NetworkPolicy[]): World => ({
  policies,
  pods,
  namespaces: [namespace('a'), namespace('b', { team: 'blue' })],
});
const apply = async (...policies: readonly NetworkPolicy[]): Promise<void> => {
  for (const [index, datapath] of datapaths.entries())
    await datapath.apply(compilePolicies(world(policies), `h${index + 1}`), signal);
};

/** Connects to each `ADDRESS:PORT` at one time: those that answered within a second. */
const prober = `
const targets = process.argv.slice(1);
const one = (target) => new Promise((resolve) => {
  const [host, port] = target.split(':');
  const socket = require('net').connect({ host, port: Number(port) });
  const end = (reached) => { socket.destroy(); resolve(reached); };
  socket.setTimeout(1500, () => end(false));
  socket.on('connect', () => end(true));
  socket.on('error', () => end(false));
});
Promise.all(targets.map(one)).then((all) => console.log(JSON.stringify(targets.filter((_, index) => all[index]))));`;

const reached = async (from: string, targets: readonly string[]): Promise<readonly string[]> =>
  JSON.parse(await lab.run(from, process.execPath, '-e', prober, '--', ...targets)) as readonly string[];

/** `FROM -> TO` of every pair that connects. */
const matrix = async (): Promise<readonly string[]> => {
  const rows: string[] = [];
  const row = async (index: number): Promise<void> => {
    const { host, index: at } = places[index]!;
    const targets = pods.map(({ status }) => `${status!.podIP!}:${port}`);
    for (const target of await reached(lab.pod(host, at), targets)) {
      const to = pods.find(({ status }) => target.startsWith(`${status!.podIP!}:`))!;
      rows.push(`${pods[index]!.metadata.name} -> ${to.metadata.name}`);
    }
  };
  for (const half of [places.slice(0, 4), places.slice(4)])
    await Promise.all(half.map((place) => row(places.indexOf(place))));
  return rows.sort();
};
const expected = (policies: readonly NetworkPolicy[]): readonly string[] =>
  pods
    .flatMap((from) =>
      pods
        .filter((to) => specified(world(policies), from, to, { protocol: 'tcp', port }))
        .map((to) => `${from.metadata.name} -> ${to.metadata.name}`),
    )
    .sort();

const node = (host: number): LocalNode => ({
  name: `h${host}`,
  address: hostAddress(host),
  subnet: subnet(host),
});

const startHost = async (host: number): Promise<void> => {
  const commands = lab.commands(host);
  const peer = { name: `h${3 - host}`, address: hostAddress(3 - host), subnet: subnet(3 - host) };
  await createVxlan({ commands, device: 'capvx', vni: 1, port: 8472, podCidr }).apply(
    node(host),
    [peer],
    signal,
  );
  const proxy = new NftablesDatapath({
    table: 'capstan-test',
    podCidr,
    serviceCidr,
    commands,
    conntrack: createConntrack(commands, silent),
    podBridge: createPodBridge({ commands, bridge: 'pods', log: silent }),
    log: silent,
  });
  // A service of one pod on each host, so that the way there is known.
  const frontend: Frontend = {
    key: `${vip}/tcp/80`,
    address: vip,
    protocol: 'tcp',
    port: 80,
    target: {
      backends: [{ address: podAddress(1, 1), port, weight: 1, local: host === 1 }],
      empty: 'refuse',
    },
  };
  await proxy.apply({ node: node(host), frontends: new Map([[frontend.key, frontend]]) }, signal);
  datapaths.push(
    new NftablesPolicies({
      table,
      commands,
      connections: createConnections(commands, silent),
      forbids,
      log: silent,
    }),
  );
};

beforeAll(async () => {
  lab = await startLab(2, 4);
  for (const host of [1, 2]) await startHost(host);
  for (const { host, index } of places) await lab.serve(lab.pod(host, index), `h${host}p${index}`, port);
}, 90_000);

beforeEach(async () => {
  await apply();
});

afterAll(async () => {
  await lab.end();
});

const web = { matchLabels: { app: 'web' } };
const cases: Readonly<Record<string, readonly NetworkPolicy[]>> = {
  'without any policy': [],
  'with a namespace closed': [policy('deny', { podSelector: {} })],
  'with a namespace that may send nothing': [policy('deny', { podSelector: {}, policyTypes: ['Egress'] })],
  'with pods of one label that take each other only': [
    policy('web', { podSelector: web, ingress: [{ from: [{ podSelector: web }] }] }),
  ],
  'with a namespace open for one team': [
    policy('team', { ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }] }] }),
  ],
  'with pods of a namespace and a label, on a named port': [
    policy('both', {
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { team: 'blue' } }, podSelector: web }],
          ports: [{ port: 'http' }],
        },
      ],
    }),
  ],
  'with blocks of addresses and a hole': [
    policy('block', {
      ingress: [{ from: [{ ipBlock: { cidr: subnet(1), except: [`${podAddress(1, 2)}/32`] } }] }],
    }),
  ],
  'with ranges of ports, right and wrong': [
    policy('right', { podSelector: web, ingress: [{ ports: [{ port: 8000, endPort: 8100 }] }] }),
    policy('wrong', {
      podSelector: { matchLabels: { app: 'db' } },
      ingress: [{ ports: [{ port: 9000, endPort: 9100 }] }],
    }),
  ],
  'with any port of one protocol': [
    policy('tcp', { podSelector: web, ingress: [{ ports: [{ protocol: 'TCP' }] }] }),
    policy('udp', { podSelector: web, ingress: [{ ports: [{ protocol: 'UDP' }] }] }, 'b'),
  ],
  'with both ends closed but for one way': [
    policy('in', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {}, podSelector: web }] }] }),
    policy(
      'out',
      { podSelector: {}, egress: [{ to: [{ podSelector: web }, { namespaceSelector: {} }] }] },
      'b',
    ),
    policy('only', {
      podSelector: web,
      policyTypes: ['Egress'],
      egress: [{ to: [{ podSelector: {} }], ports: [{ port }] }],
    }),
  ],
};

describe('every pair of eight pods', () => {
  it.each(Object.entries(cases))('connects as specified %s', async (_, policies) => {
    await apply(...policies);
    const wanted = expected(policies);
    if (policies.length > 0) expect(wanted.length).toBeLessThan(64);
    expect(await matrix()).toEqual(wanted);
  });
});

const deny = policy('deny', { podSelector: {} });

describe('a closed pod', () => {
  it('is closed through a service too, reaches itself through it, and is reached from its own host', async () => {
    const through = async (from: string) => (await reached(from, [`${vip}:80`])).length > 0;
    expect(await through(lab.pod(2, 2))).toBe(true);
    await apply(deny);
    expect(await through(lab.pod(2, 2))).toBe(false);
    expect(await through(lab.pod(1, 2))).toBe(false);
    expect(await through(lab.pod(1, 1))).toBe(true);
    expect(await through(lab.host(1))).toBe(true);
    expect(await reached(lab.host(1), [`${podAddress(1, 1)}:${port}`])).toHaveLength(1);
    // Another host is nobody's own.
    expect(await reached(lab.host(2), [`${podAddress(1, 1)}:${port}`])).toEqual([]);
  });
});

/** Says `N` each 100 ms and prints how often it was answered, until a second of silence. */
const talker = `
const [host, port] = process.argv.slice(1);
let answers = 0;
const socket = require('net').connect({ host, port: Number(port) });
const say = () => socket.write('x');
socket.setTimeout(1200, () => { console.log('silent after ' + answers); process.exit(0); });
socket.on('connect', () => { console.log('open'); say(); });
socket.on('data', () => { answers += 1; setTimeout(say, 100); });
socket.on('error', (error) => { console.log(error.code + ' after ' + answers); process.exit(0); });`;
/** Echoes, and speaks by itself too: what it says must not open the connection again. */
const echo = `
require('net').createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (data) => socket.write(data));
  const timer = setInterval(() => socket.write('y'), 150);
  socket.on('close', () => clearInterval(timer));
}).listen(9090, '0.0.0.0', () => console.log('ready'));`;

const inPod = (namespaceName: string, script: string, ...args: readonly string[]) => {
  const child = spawn('ip', ['netns', 'exec', namespaceName, process.execPath, '-e', script, '--', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  child.stdout.on('data', (data: Buffer) => lines.push(...data.toString().trim().split('\n')));
  return { child, lines };
};

describe.each([
  ['on one host', 1],
  ['between hosts', 2],
])('an open connection %s', (_, host) => {
  it('goes on under a policy that allows it, and ends under one that does not', async () => {
    const server = inPod(lab.pod(1, 1), echo);
    await expect.poll(() => server.lines, { timeout: 10_000 }).toContain('ready');
    const client = inPod(lab.pod(host, 2), talker, podAddress(1, 1), '9090');
    try {
      await expect.poll(() => client.lines, { timeout: 10_000 }).toContain('open');
      await apply(policy('allow', { ingress: [{ from: [{ podSelector: {} }] }] }));
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect(client.lines).toEqual(['open']);
      await apply(deny);
      await Promise.race([
        once(client.child, 'exit'),
        new Promise((_, reject) => setTimeout(() => reject(new Error('the connection goes on')), 15_000)),
      ]);
      expect(client.lines.at(-1)).toMatch(/^silent after \d+$/);
    } finally {
      client.child.kill('SIGKILL');
      server.child.kill('SIGKILL');
    }
  });
});

describe('the table', () => {
  it.each([
    ['the whole ruleset flushed', ['flush', 'ruleset']],
    ['one pod taken out', ['delete', 'element', 'ip', table, 'ingress', `{ ${podAddress(1, 1)} }`]],
    ['a rule added', ['insert', 'rule', 'ip', table, 'forward', 'accept']],
  ])('is repaired when others change it: %s', async (_, command) => {
    await apply(deny);
    const [first] = datapaths;
    expect(await first!.check(signal)).toBe(true);
    await lab.run(lab.host(1), 'nft', ...command);
    expect(await first!.check(signal)).toBe(false);
    await apply(deny);
    expect(await first!.check(signal)).toBe(true);
    expect(await reached(lab.pod(1, 2), [`${podAddress(1, 1)}:${port}`])).toEqual([]);
  });
});
