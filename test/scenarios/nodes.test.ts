import { describe, expect, it } from 'vitest';
import { conditionOf } from '../../src/resources/conditions.js';
import type { Pod } from '../../src/resources/generated/types.js';
import { deployments } from '../../src/resources/kinds/deployments.js';
import { events } from '../../src/resources/kinds/events.js';
import { nodes } from '../../src/resources/kinds/nodes.js';
import { pods } from '../../src/resources/kinds/pods.js';
import { seeds } from '../contract/random.js';
import type { Simulation } from './simulation.js';
import { simulate } from './simulation.js';
import { podRestarts } from '../../src/resources/pod-status.js';
import { podsOf, readyPods, rolledOut, watchCreated, web } from './workloads.js';

const on = (simulation: Simulation, node: string): readonly Pod[] =>
  podsOf(simulation).filter(({ spec }) => spec.nodeName === node);

const connectionOf = (simulation: Simulation, name: string) =>
  simulation.nodes.find((node) => node.name === name)!.connection;

const readyStatus = ({ truth }: Simulation, name: string): string | undefined =>
  conditionOf(truth.view.get(nodes, { name })?.status?.conditions, 'Ready')?.status;

describe.each(seeds([1, 2, 3]))('a node that falls silent (seed %i)', (seed) => {
  it('has its pods running elsewhere within 12 seconds, and takes nothing until it is back', async () => {
    await simulate({ seed }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 6 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      await simulation.advance(simulation.random() * 2000);
      connectionOf(simulation, 'n2').cut = true;
      const took = await simulation.until(
        'six pods run on the other nodes',
        () => readyPods(simulation).filter(({ spec }) => spec.nodeName !== 'n2').length === 6,
      );
      expect(took).toBeLessThanOrEqual(12_000);
      expect(readyStatus(simulation, 'n2')).toBe('Unknown');
      await simulation.until('its pods are gone from the API', () => on(simulation, 'n2').length === 0);
      connectionOf(simulation, 'n2').cut = false;
      await simulation.until('the node is back', () => readyStatus(simulation, 'n2') === 'True');
      await simulation.advance(3000);
      expect(simulation.truth.view.get(nodes, { name: 'n2' })?.spec.taints ?? []).toEqual([]);
      expect(readyPods(simulation)).toHaveLength(6);
    });
  });

  it('keeps its pods when it comes back in time', async () => {
    await simulate({ seed }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 6 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      const created = watchCreated(simulation);
      const before = created.length;
      // Long enough for one heartbeat to be lost.
      connectionOf(simulation, 'n2').cut = true;
      await simulation.advance(1900);
      connectionOf(simulation, 'n2').cut = false;
      await simulation.advance(20_000);
      expect(created).toHaveLength(before);
      expect(readyPods(simulation)).toHaveLength(6);
    });
  });
});

describe('an agent that crashes', () => {
  it('finds its containers running when it comes back, and restarts none', async () => {
    await simulate({ seed: 9 }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 6 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      const before = podsOf(simulation).map(({ metadata, status }) => [metadata.uid, status?.podIP]);
      for (const node of simulation.nodes) {
        await simulation.stopNode(node.name);
        await simulation.advance(1500);
        simulation.startNode(node);
        await simulation.advance(3000);
      }
      await simulation.advance(10_000);
      expect(podsOf(simulation).map(({ metadata, status }) => [metadata.uid, status?.podIP])).toEqual(before);
      expect(readyPods(simulation).map(podRestarts)).toEqual(Array(6).fill(0));
    });
  });

  it('for good has its pods replaced, and takes the old ones down when it returns after all', async () => {
    await simulate({ seed: 10 }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 6 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      const node = simulation.nodes[1]!;
      await simulation.stopNode(node.name);
      await simulation.until(
        'the others run all six',
        () => readyPods(simulation).filter(({ spec }) => spec.nodeName !== node.name).length === 6,
      );
      await simulation.advance(60_000);
      simulation.startNode(node);
      const running = async () =>
        (await node.machine.engine.runtime.list(new AbortController().signal)).filter(
          ({ state }) => state === 'running',
        );
      expect(await running()).not.toEqual([]);
      await simulation.until('its old containers are gone', async () => (await running()).length === 0);
      expect(readyPods(simulation)).toHaveLength(6);
    });
  });
});

describe('when all nodes fall silent together', () => {
  it('nothing is evicted, since the master itself is the likelier cause', async () => {
    await simulate({ seed: 4 }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 6 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      const created = watchCreated(simulation);
      const before = created.length;
      for (const { connection } of simulation.nodes) connection.cut = true;
      await simulation.advance(60_000);
      const [decision] = simulation.decisions.for({ name: 'n1' }, nodes);
      expect(decision?.because).toContain('eviction is held, since every node is silent');
      for (const { connection } of simulation.nodes) {
        connection.cut = false;
        await simulation.advance(700);
      }
      await simulation.advance(20_000);
      expect(created).toHaveLength(before);
      expect(readyPods(simulation)).toHaveLength(6);
      for (const name of ['n1', 'n2', 'n3']) expect(readyStatus(simulation, name)).toBe('True');
    });
  });

  it('nothing is evicted after the master has slept for an hour', async () => {
    await simulate({ seed: 5 }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 6 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      const created = watchCreated(simulation);
      const before = created.length;
      simulation.jump(3_600_000);
      await simulation.advance(20_000);
      expect(created).toHaveLength(before);
      expect(readyPods(simulation)).toHaveLength(6);
    });
  });
});

describe('a pod', () => {
  it('that fits nowhere says why, and runs as soon as a node for it joins', async () => {
    await simulate({ seed: 6, nodes: 2 }, async (simulation) => {
      const { cluster, truth } = simulation;
      const name = { name: 'picky', namespace: 'default' };
      await cluster.create(pods, {
        metadata: { ...name, labels: { app: 'picky' } },
        spec: {
          containers: [{ name: 'c', image: 'i' }],
          nodeSelector: { 'kubernetes.io/hostname': 'n3' },
        },
      });
      const scheduled = () => conditionOf(truth.view.get(pods, name)?.status?.conditions, 'PodScheduled');
      await simulation.until('it says why', () => scheduled()?.status === 'False');
      const message = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.";
      expect(scheduled()).toMatchObject({ reason: 'Unschedulable', message });
      await simulation.advance(1000);
      const told = truth.view.list(events, 'default').find(({ reason }) => reason === 'FailedScheduling');
      expect(told).toMatchObject({
        message,
        type: 'Warning',
        involvedObject: { kind: 'Pod', name: 'picky' },
      });
      simulation.addNode('n3');
      await simulation.until('it runs', () => readyPods(simulation, 'picky').length === 1);
      expect(scheduled()?.status).toBe('True');
    });
  });

  it('goes when its node is removed from the cluster', async () => {
    await simulate({ seed: 7 }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 3 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      await simulation.advance(60_000);
      await simulation.stopNode('n3');
      await simulation.cluster.delete(nodes, { name: 'n3' });
      await simulation.until(
        'three pods run on the others',
        () => on(simulation, 'n3').length === 0 && readyPods(simulation).length === 3,
      );
    });
  });
});

describe('nodes', () => {
  it('get a subnet each, none twice', async () => {
    await simulate({ seed: 8, nodes: 12 }, async (simulation) => {
      await simulation.advance(1000);
      const all = simulation.truth.view.list(nodes);
      const subnets = new Set(all.map(({ spec }) => spec.podCIDR));
      expect(subnets.size).toBe(12);
      for (const subnet of subnets) expect(subnet).toMatch(/^10\.244\.\d+\.0\/24$/);
    });
  });
});
