// What a change of services costs in the kernel at 1, 1,000 and 10,000 services, against starting nft alone.
import { silent } from '../../src/base/log.js';
import { createConntrack } from '../../src/host/datapath/conntrack.js';
import { NftablesDatapath } from '../../src/host/datapath/nftables.js';
import { createPodBridge } from '../../src/host/datapath/pod-bridge.js';
import type { Frontend } from '../../src/network/datapath.js';
import { hostAddress, podCidr, serviceCidr, startLab, subnet, type Lab } from '../docker/network-lab.js';
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

export const serviceProxy: Benchmark = {
  name: 'service-proxy',
  run: async (signal) => {
    const lab = await startLab(1, 0);
    try {
      const rows: Row[] = [];
      for (const services of [1, 1_000, 10_000]) rows.push(await programming(lab, services, signal));
      return rows;
    } finally {
      await lab.end();
    }
  },
};
