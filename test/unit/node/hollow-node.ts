// A node on a simulated engine whose time the test moves.
import { ManualClock } from '../../../src/base/manual-clock.js';
import { createHollowFiles } from '../../../src/host/hollow/hollow-files.js';
import type { HollowFiles } from '../../../src/host/hollow/hollow-files.js';
import { HollowEngine } from '../../../src/host/hollow/hollow-engine.js';
import type { ContainerStatus, PodStatus } from '../../../src/resources/generated/types.js';
import { AgentHarness } from './agent-harness.js';

export const web = { name: 'web', image: 'web:1' };

export const hollow = (name: string, value: string): Record<string, string> => ({
  [`hollow.capstan.dev/${name}`]: value,
});

export const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

export interface HollowNode {
  readonly clock: ManualClock;
  readonly engine: HollowEngine;
  readonly files: HollowFiles;
  readonly node: AgentHarness;
  advance(ms: number): Promise<void>;
  status(name: string): Promise<PodStatus>;
  first(name: string): Promise<ContainerStatus>;
}

export const openHollowNode = async (source: 'view' | 'remote' = 'view'): Promise<HollowNode> => {
  const clock = new ManualClock();
  const engine = new HollowEngine({ clock });
  const files = createHollowFiles();
  const node = await AgentHarness.open({
    clock,
    runtime: engine.runtime,
    prober: engine.prober,
    files,
    engine: 'hollow',
    podCIDR: '10.244.3.0/24',
    source,
  });
  const advance = (ms: number): Promise<void> => clock.advance(ms, turns);
  await turns();
  await advance(100);
  const status = async (name: string): Promise<PodStatus> => (await node.pod(name)).status!;
  return {
    clock,
    engine,
    files,
    node,
    advance,
    status,
    first: async (name) => (await status(name)).containerStatuses![0]!,
  };
};
