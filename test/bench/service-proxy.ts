// What a change of services costs in the kernel at 1, 1,000 and 10,000 services, against starting nft alone; and what the
// overlays leave of the bare path's throughput.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { silent } from '../../src/base/log.js';
import { createConntrack } from '../../src/host/datapath/conntrack.js';
import { createHostGateway } from '../../src/host/datapath/host-gw.js';
import { NftablesDatapath } from '../../src/host/datapath/nftables.js';
import { createPodBridge } from '../../src/host/datapath/pod-bridge.js';
import { createVxlan } from '../../src/host/datapath/vxlan.js';
import type { Frontend } from '../../src/network/datapath.js';
import type { PodNetworkBackend } from '../../src/network/pod-network.js';
import {
  hostAddress,
  podAddress,
  podCidr,
  serviceCidr,
  startLab,
  subnet,
  type Lab,
} from '../docker/network-lab.js';
import { median, quartileSpread, type Benchmark, type Row } from './benchmark.js';

const changes = 15;

const frontend = (index: number, last: number): Frontend => {
  const address = `10.96.${String(1 + (index >> 8))}.${String(index & 255)}`;
  return {
    key: `${address}/tcp/80`,
    address,
    protocol: 'tcp',
    port: 80,
    target: {
      backends: [2, 3, last].map((pod) => ({
        address: `10.244.1.${String(pod)}`,
        port: 8080,
        weight: 1,
        local: true,
      })),
      empty: 'refuse',
    },
  };
};

const programming = async (lab: Lab, services: number, signal: AbortSignal): Promise<Row> => {
  const commands = lab.commands(1);
  const datapath = new NftablesDatapath({
    table: `bench-${String(services)}`,
    podCidr,
    serviceCidr,
    commands,
    conntrack: createConntrack(commands, silent),
    podBridge: createPodBridge({ commands, bridge: 'pods', log: silent }),
    log: silent,
  });
  const node = { name: 'h1', address: hostAddress(1), subnet: subnet(1) };
  let frontends = new Map(
    Array.from({ length: services }, (_, index) => frontend(index, 4)).map((one) => [one.key, one]),
  );
  const begin = performance.now();
  await datapath.apply({ node, frontends }, signal);
  const load = performance.now() - begin;
  const values: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < changes; round += 1) {
    const next = frontend(services >> 1, 5 + (round % 2));
    frontends = new Map(frontends).set(next.key, next);
    const start = performance.now();
    await datapath.apply({ node, frontends }, signal);
    values.push(performance.now() - start);
    const empty = performance.now();
    await commands.run('nft', ['-f', '-'], { input: '\n', signal });
    bare.push(performance.now() - empty);
  }
  await datapath.remove(signal);
  const ratios = values.map((value, index) => value / (bare[index] ?? Number.NaN));
  return {
    figure: `one endpoint changes among ${services.toLocaleString('en')} services`,
    value: median(values),
    unit: 'ms',
    baseline: 'starting nft for an empty transaction',
    baselineValue: median(bare),
    ratio: median(ratios),
    spread: quartileSpread(ratios),
    aim: '< 50 ms',
    note: `loading all at first took ${load.toFixed(0)} ms`,
  };
};

const seconds = 2;

/** Bits per second between two namespaces. */
const throughput = async (lab: Lab, from: string, { to, address }: { to: string; address: string }) => {
  const server = spawn('ip', ['netns', 'exec', to, 'iperf3', '-s', '-1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data');
  try {
    const text = await lab.run(from, 'iperf3', '-c', address, '-t', String(seconds), '-J');
    const { end } = JSON.parse(text) as { end: { sum_received: { bits_per_second: number } } };
    return end.sum_received.bits_per_second;
  } finally {
    server.kill('SIGKILL');
  }
};

const overlay = async (lab: Lab, name: string, signal: AbortSignal): Promise<Row> => {
  const make = (host: number): PodNetworkBackend => {
    const commands = lab.commands(host);
    return name === 'host-gw'
      ? createHostGateway({ commands, device: 'capvx', podCidr })
      : createVxlan({ commands, device: 'capvx', vni: 1, port: 8472, podCidr });
  };
  const member = (host: number) => ({ name: `h${host}`, address: hostAddress(host), subnet: subnet(host) });
  for (const host of [1, 2]) await make(host).apply(member(host), [member(3 - host)], signal);
  const values: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    signal.throwIfAborted();
    bare.push(await throughput(lab, lab.host(1), { to: lab.host(2), address: hostAddress(2) }));
    values.push(await throughput(lab, lab.pod(1, 1), { to: lab.pod(2, 1), address: podAddress(2, 1) }));
  }
  const ratios = values.map((value, index) => value / (bare[index] ?? Number.NaN));
  return {
    figure: `pod to pod through ${name}`,
    value: median(values) / 1e9,
    unit: 'Gb/s',
    baseline: 'host to host without an overlay',
    baselineValue: median(bare) / 1e9,
    ratio: median(ratios),
    spread: quartileSpread(ratios),
    aim: name === 'host-gw' ? '≥ 0.95' : '≥ 0.8',
  };
};

export const serviceProxy: Benchmark = {
  name: 'service-proxy',
  run: async (signal) => {
    const lab = await startLab(2, 1);
    try {
      for (const host of [1, 2]) await lab.run(lab.host(host), 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
      const rows: Row[] = [];
      for (const name of ['host-gw', 'vxlan']) rows.push(await overlay(lab, name, signal));
      for (const services of [1, 1_000, 10_000]) rows.push(await programming(lab, services, signal));
      return rows;
    } finally {
      await lab.end();
    }
  },
};
