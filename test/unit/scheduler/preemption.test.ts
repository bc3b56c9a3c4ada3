import { describe, expect, it } from 'vitest';
import { couplings } from '../../../src/scheduler/couplings/couplings.js';
import { filters } from '../../../src/scheduler/filters/filters.js';
import { Placer } from '../../../src/scheduler/placer.js';
import { scores } from '../../../src/scheduler/scores/scores.js';
import type { Node, Pod, PodDisruptionBudget } from '../../../src/resources/generated/types.js';
import { node, noVolumes, pod, type PodOptions } from './objects.js';

const placerOf = (nodes: readonly Node[], budgets: readonly PodDisruptionBudget[] = []): Placer => {
  const placer = new Placer({
    rules: { filters, scores, couplings },
    namespaceLabels: () => undefined,
    volumes: noVolumes,
    budgets: () => budgets,
    reclassified: () => undefined,
  });
  for (const entry of nodes) placer.table.setNode(entry);
  return placer;
};

const important = (name: string, priority: number, options: PodOptions = {}): Pod =>
  pod(name, { cpu: '1', ...options, spec: { priority, ...options.spec } });

const leaving = (subject: Pod): Pod => ({
  ...subject,
  metadata: { ...subject.metadata, deletionTimestamp: '2026-01-01T01:00:00Z' },
});

const victimsOf = (placer: Placer, subject: Pod): readonly string[] => {
  const outcome = placer.place(subject);
  return outcome.type === 'room'
    ? [outcome.node, ...outcome.victims.map(({ metadata }) => metadata.name)]
    : [outcome.type];
};

describe('a pod that fits nowhere', () => {
  it('makes the least important pods leave, and no more than it must', () => {
    const placer = placerOf([node('n1', { cpu: '3' })]);
    for (const [name, priority] of [
      ['low', 1],
      ['middle', 5],
      ['high', 9],
    ] as const)
      placer.assign(important(name, priority), 'n1');
    expect(victimsOf(placer, important('new', 10))).toEqual(['n1', 'low']);
  });

  it('chooses the node whose victims matter least', () => {
    const placer = placerOf([node('n1', { cpu: '1' }), node('n2', { cpu: '1' }), node('n3', { cpu: '1' })]);
    placer.assign(important('a', 5), 'n1');
    placer.assign(important('b', 2), 'n2');
    placer.assign(important('c', 7), 'n3');
    expect(victimsOf(placer, important('new', 6))).toEqual(['n2', 'b']);
  });

  it('breaks no budget while another node needs none to be broken', () => {
    const budget: PodDisruptionBudget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'b', namespace: 'default', uid: 'b', resourceVersion: '1', creationTimestamp: '' },
      spec: { selector: { matchLabels: { app: 'guarded' } } },
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    };
    const placer = placerOf([node('n1', { cpu: '1' }), node('n2', { cpu: '1' })], [budget]);
    placer.assign(important('guarded', 1, { app: 'guarded' }), 'n1');
    placer.assign(important('plain', 5), 'n2');
    expect(victimsOf(placer, important('new', 6))).toEqual(['n2', 'plain']);
  });

  it('asks nobody to leave when that would not help, or when it must not', () => {
    const tainted = node('n1', { cpu: '1', spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } });
    const placer = placerOf([tainted, node('n2', { cpu: '1' })]);
    placer.assign(important('a', 1), 'n1');
    placer.assign(important('b', 6), 'n2');
    expect(victimsOf(placer, important('equal', 6))).toEqual(['unschedulable']);
    expect(victimsOf(placer, important('polite', 9, { spec: { preemptionPolicy: 'Never' } }))).toEqual([
      'unschedulable',
    ]);
    expect(victimsOf(placer, important('huge', 9, { cpu: '2' }))).toEqual(['unschedulable']);
  });

  it('keeps what it waits for from pods that matter less, and waits for those that leave', () => {
    const placer = placerOf([node('n1', { cpu: '1' })]);
    const old = important('old', 1);
    placer.assign(old, 'n1');
    const subject = important('new', 10);
    expect(victimsOf(placer, subject)).toEqual(['n1', 'old']);
    expect(victimsOf(placer, subject)).toEqual(['waits']);
    placer.assign(leaving(old), 'n1');
    expect(victimsOf(placer, subject)).toEqual(['waits']);
    placer.table.unassign('old');
    expect(victimsOf(placer, important('cheeky', 2))).toEqual(['unschedulable']);
    expect(placer.place(subject)).toMatchObject({ type: 'placed', candidate: { node: { name: 'n1' } } });
    expect(placer.nominated.size).toBe(0);
  });

  it('makes a pod leave that its anti-affinity does not stand', () => {
    const placer = placerOf([node('n1', { labels: { host: 'n1' } })]);
    placer.assign(important('other', 1, { app: 'db' }), 'n1');
    const spec = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'host' },
          ],
        },
      },
    };
    expect(victimsOf(placer, important('new', 3, { spec }))).toEqual(['n1', 'other']);
  });

  it('leaves the table as it was', () => {
    const placer = placerOf([node('n1', { cpu: '2' })]);
    placer.assign(important('a', 1), 'n1');
    placer.assign(important('b', 2), 'n1');
    placer.place(important('new', 10, { cpu: '2' }));
    placer.withdraw('new');
    const on = placer.table.node('n1')!;
    expect([on.used['cpu'], on.used['pods'], [...on.pods.keys()].sort()]).toEqual([2000, 2, ['a', 'b']]);
  });
});
