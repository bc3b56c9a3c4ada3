import { describe, expect, it } from 'vitest';
import { Candidates, rejection } from '../../../src/scheduler/candidates.js';
import { couplings } from '../../../src/scheduler/couplings/couplings.js';
import { TermMatcher } from '../../../src/scheduler/couplings/term.js';
import { explainUnschedulable } from '../../../src/scheduler/explain.js';
import { filters } from '../../../src/scheduler/filters/filters.js';
import { NodeTable } from '../../../src/scheduler/node-table.js';
import type { PodClass } from '../../../src/scheduler/placement.js';
import { PodClasses } from '../../../src/scheduler/pod-class.js';
import { scores } from '../../../src/scheduler/scores/scores.js';
import type { Node, Pod } from '../../../src/resources/generated/types.js';
import { createRandom, seeds } from '../../contract/random.js';
import { node, noVolumes, pod } from './objects.js';

const rules = { filters, scores, couplings };

const candidatesOf = (table: NodeTable, podClass: PodClass): Candidates =>
  new Candidates(
    { table, rules, surroundings: { matcher: new TermMatcher(() => undefined), volumes: noVolumes } },
    podClass,
  );

const tableOf = (...nodes: readonly Node[]): NodeTable => {
  const table = new NodeTable();
  for (const entry of nodes) table.setNode(entry);
  return table;
};

const why = (table: NodeTable, subject: Pod): string => {
  const podClass = new PodClasses().of(subject);
  return explainUnschedulable(candidatesOf(table, podClass), table, podClass);
};

/** Places pods one by one, as the scheduler does; the node of each, undefined where none fits. */
const place = (table: NodeTable, pods: readonly Pod[]): readonly (string | undefined)[] => {
  const classes = new PodClasses();
  const candidates = new Map<string, Candidates>();
  return pods.map((entry) => {
    const podClass = classes.of(entry);
    const known = candidates.get(podClass.id) ?? candidatesOf(table, podClass);
    candidates.set(podClass.id, known);
    const best = known.best();
    if (best === undefined) return undefined;
    table.assign(entry, best.node.name, podClass);
    return best.node.name;
  });
};

describe('a pod that fits nowhere', () => {
  it('says per reason how many nodes it keeps out, and by how much', () => {
    const table = tableOf(
      node('n1', { cpu: '1' }),
      node('n2', { cpu: '1500m' }),
      node('n3', { spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] } }),
    );
    place(table, [pod('busy', { cpu: '1' })]);
    expect(why(table, pod('big', { cpu: '2' }))).toBe(
      '0/3 nodes are available: 2 Insufficient cpu (needs 2, 1 free at most), 1 node(s) had untolerated taint {gpu: yes}.',
    );
  });

  it('says so when there is no node at all', () => {
    expect(why(tableOf(), pod('p'))).toBe('no nodes available to schedule pods');
  });

  it.each<[string, Node, Pod, string]>([
    [
      'memory',
      node('n', { memory: '1Gi' }),
      pod('p', { memory: '1536Mi' }),
      'Insufficient memory (needs 1.5Gi, 1Gi free at most)',
    ],
    ['the number of pods', node('n', { pods: '0' }), pod('p'), 'Too many pods'],
    ['cordons', node('n', { spec: { unschedulable: true } }), pod('p'), 'node(s) were unschedulable'],
    [
      'node selectors',
      node('n', { labels: { disk: 'hdd' } }),
      pod('p', { spec: { nodeSelector: { disk: 'ssd' } } }),
      "node(s) didn't match Pod's node affinity/selector",
    ],
  ])('names %s', (_, on, subject, reason) => {
    expect(why(tableOf(on), subject)).toBe(`0/1 nodes are available: 1 ${reason}.`);
  });

  it('names the host ports that are taken', () => {
    const table = tableOf(node('n'));
    place(table, [pod('first', { hostPort: 8080 })]);
    expect(why(table, pod('second', { hostPort: 8080 }))).toBe(
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports (needs 8080).",
    );
    expect(place(table, [pod('third', { hostPort: 8081 })])).toEqual(['n']);
  });
});

describe('filters', () => {
  const fits = (on: Node, subject: Pod): boolean => {
    const [view] = tableOf(on).nodes();
    return rejection(rules, new PodClasses().of(subject), view!) === undefined;
  };

  it('let a pod through that tolerates the taints', () => {
    const tainted = node('n', { spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'NoExecute' }] } });
    expect(fits(tainted, pod('p'))).toBe(false);
    expect(fits(tainted, pod('p', { spec: { tolerations: [{ key: 'gpu', value: 'yes' }] } }))).toBe(true);
    expect(
      fits(
        tainted,
        pod('p', { spec: { tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }] } }),
      ),
    ).toBe(false);
    expect(fits(tainted, pod('p', { spec: { tolerations: [{ operator: 'Exists' }] } }))).toBe(true);
  });

  it('read required node affinity: terms are alternatives, their expressions are not', () => {
    const affinity = (terms: readonly object[]) => ({
      spec: {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
        },
      },
    });
    const labelled = node('n', { labels: { zone: 'a', size: '8' } });
    const zone = (value: string) => ({ key: 'zone', operator: 'In', values: [value] });
    expect(
      fits(
        labelled,
        pod('p', affinity([{ matchExpressions: [zone('b')] }, { matchExpressions: [zone('a')] }])),
      ),
    ).toBe(true);
    expect(fits(labelled, pod('p', affinity([{ matchExpressions: [zone('a'), zone('b')] }])))).toBe(false);
    expect(
      fits(
        labelled,
        pod('p', affinity([{ matchExpressions: [{ key: 'size', operator: 'Gt', values: ['4'] }] }])),
      ),
    ).toBe(true);
    expect(
      fits(
        labelled,
        pod('p', affinity([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }])),
      ),
    ).toBe(true);
    expect(fits(labelled, pod('p', affinity([{}])))).toBe(false);
  });
});

describe('placement', () => {
  it('spreads the pods of a controller over the nodes', () => {
    const table = tableOf(node('n1'), node('n2'), node('n3'));
    const placed = place(
      table,
      Array.from({ length: 6 }, (_, index) => pod(`p${String(index)}`, { owner: 'rs' })),
    );
    expect([...placed].sort()).toEqual(['n1', 'n1', 'n2', 'n2', 'n3', 'n3']);
  });

  it('takes the emptier node', () => {
    const table = tableOf(node('full'), node('empty'));
    const busy = pod('x', { cpu: '3', memory: '6Gi' });
    table.assign(busy, 'full', new PodClasses().of(busy));
    expect(place(table, [pod('p', { cpu: '500m', memory: '1Gi' })])).toEqual(['empty']);
  });

  it('prefers what the pod prefers', () => {
    const table = tableOf(node('plain'), node('ssd', { labels: { disk: 'ssd' } }), node('third'));
    const preference = { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] };
    const affinity = {
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] },
    };
    expect(place(table, [pod('p', { spec: { affinity } })])).toEqual(['ssd']);
  });

  it('takes the node that has the image, other things being equal', () => {
    const images = [{ names: ['docker.io/library/i:latest'], sizeBytes: 500 * 1024 * 1024 }];
    const table = tableOf(node('n1'), node('n2', { images }), node('n3'), node('n4'));
    expect(place(table, [pod('p')])).toEqual(['n2']);
  });

  it('is the same every time', () => {
    const run = () =>
      place(
        tableOf(...Array.from({ length: 20 }, (_, index) => node(`n${String(index)}`))),
        Array.from({ length: 50 }, (_, index) =>
          pod(`p${String(index)}`, { cpu: '100m', app: `a${String(index % 3)}` }),
        ),
      );
    expect(run()).toEqual(run());
  });

  it('fills nodes to the last place and not beyond', () => {
    const table = tableOf(node('n1', { pods: '2' }), node('n2', { cpu: '200m' }));
    const placed = place(
      table,
      Array.from({ length: 6 }, (_, index) => pod(`p${String(index)}`, { cpu: '100m' })),
    );
    expect(placed.filter((name) => name === 'n1')).toHaveLength(2);
    expect(placed.filter((name) => name === 'n2')).toHaveLength(2);
    expect(placed.filter((name) => name === undefined)).toHaveLength(2);
  });
});

describe.each(seeds([1, 2, 3]))('what is remembered about nodes (seed %i)', (seed) => {
  it('is what a fresh look finds, however pods and nodes come and go', () => {
    const random = createRandom(seed);
    const table = new NodeTable();
    const classes = new PodClasses();
    const kinds = Array.from({ length: 4 }, (_, index) =>
      classes.of(
        pod(`k${String(index)}`, {
          cpu: `${String(200 + 300 * index)}m`,
          owner: `rs${String(index)}`,
          ...(index === 3 ? { hostPort: 80 } : {}),
        }),
      ),
    );
    const remembered = kinds.map((podClass) => candidatesOf(table, podClass));
    const assigned = new Map<string, string>();
    for (let step = 0; step < 1500; step += 1) {
      const name = `n${String(random.integer(12))}`;
      const dice = random.integer(10);
      if (dice === 0)
        table.setNode(
          node(name, { cpu: String(1 + random.integer(4)), spec: { unschedulable: random.chance(0.2) } }),
        );
      else if (dice === 1 && random.chance(0.3)) table.removeNode(name);
      else if (dice < 4 && assigned.size > 0) {
        const uid = random.pick([...assigned.keys()]);
        table.unassign(uid);
        assigned.delete(uid);
      } else {
        const index = random.integer(kinds.length);
        const best = remembered[index]!.best();
        if (best !== undefined) {
          const uid = `u${String(step)}`;
          table.assign(pod(uid), best.node.name, kinds[index]!);
          assigned.set(uid, best.node.name);
        }
      }
      for (const [index, candidates] of remembered.entries()) {
        const fresh = candidatesOf(table, kinds[index]!);
        const expected = fresh.best();
        expect(candidates.best()?.node.name, `step ${String(step)}`).toBe(expected?.node.name);
        expect(candidates.size).toBe(fresh.size);
      }
    }
  });
});

describe('the cost of placement', () => {
  it('grows with the pods, not with pods times nodes', () => {
    let looks = 0;
    const counting = { name: 'counting', reject: () => void (looks += 1) };
    const counted = { ...rules, filters: [counting, ...filters] };
    const table = tableOf(...Array.from({ length: 1000 }, (_, index) => node(`node-${String(index)}`)));
    const classes = new PodClasses();
    const surroundings = { matcher: new TermMatcher(() => undefined), volumes: noVolumes };
    const candidates = new Map<PodClass, Candidates>();
    for (let index = 0; index < 5000; index += 1) {
      const owner = `rs-${String(Math.floor(index / 250))}`;
      const entry = pod(`p${String(index)}`, { cpu: '100m', memory: '64Mi', owner, app: 'web' });
      const podClass = classes.of(entry);
      const known =
        candidates.get(podClass) ?? new Candidates({ table, rules: counted, surroundings }, podClass);
      candidates.set(podClass, known);
      table.assign(entry, known.best()!.node.name, podClass);
    }
    // Each of the 20 classes looks once at every node, and then at one node for each pod.
    expect(looks).toBeLessThanOrEqual(20 * 1000 + 5000);
  });
});
