import { describe, expect, it } from 'vitest';
import { boundsOf } from '../../../src/controllers/daemonset/bounds.js';
import { daemonSetController } from '../../../src/controllers/daemonset/daemonset.js';
import type { DaemonSetObserved } from '../../../src/controllers/daemonset/daemonset.js';
import { eligibilityOf } from '../../../src/controllers/daemonset/eligibility.js';
import { rolled, settled } from '../../../src/controllers/daemonset/node-pods.js';
import type { NodePods, Turn } from '../../../src/controllers/daemonset/node-pods.js';
import { historyOf, templateData } from '../../../src/controllers/controller-revisions.js';
import type { ClusterAction } from '../../../src/reconcile/cluster-action.js';
import type { ControllerRevision, DaemonSet, Pod } from '../../../src/resources/generated/types.js';
import { pinnedTo, targetNode } from '../../../src/resources/node-affinity.js';
import { ownedBy } from '../../../src/resources/resource.js';
import { createRandom, seeds } from '../../contract/random.js';
import { at, node, now, pod } from './objects.js';

const daemonSet = (spec: object = {}, template: object = {}): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: {
    name: 'logs',
    namespace: 'shop',
    uid: 'ds-1',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: at(-3600),
  },
  spec: {
    selector: { matchLabels: { app: 'logs' } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    template: {
      metadata: { labels: { app: 'logs' } },
      spec: { containers: [{ name: 'logs', image: 'logs:1' }], ...template },
    },
    ...spec,
  },
});

const revisionOf = (owner: DaemonSet, revision = 1, name = 'logs-old'): ControllerRevision => ({
  apiVersion: 'apps/v1',
  kind: 'ControllerRevision',
  metadata: {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: at(-3600),
    labels: { 'controller-revision-hash': name.slice(5) },
    ownerReferences: [ownedBy(owner)],
  },
  data: templateData(owner.spec.template),
  revision,
});

const daemon = (name: string, on: string, options: Parameters<typeof pod>[1] & { hash?: string } = {}): Pod =>
  pod(name, {
    node: on,
    labels: { app: 'logs', 'controller-revision-hash': options.hash ?? 'old' },
    ...options,
  });

const observed = (owner: DaemonSet, extra: Partial<DaemonSetObserved> = {}): DaemonSetObserved => ({
  daemonSet: owner,
  nodes: [],
  controlled: [],
  orphans: [],
  revisions: [revisionOf(owner)],
  namesake: undefined,
  isTaken: () => false,
  ...extra,
});

const created = (actions: readonly ClusterAction[]): readonly Pod[] =>
  actions.flatMap((action) =>
    action.type === 'create' && action.kind.kind === 'Pod' ? [action.object as Pod] : [],
  );

const deleted = (actions: readonly ClusterAction[]): readonly string[] =>
  actions.flatMap((action) => (action.type === 'delete' ? [action.name.name] : []));

describe('nodes that run a daemon', () => {
  const tainted = (key: string, effect: string) => node('n', { taints: [{ key, effect }] });

  it.each<[string, DaemonSet, ReturnType<typeof node>, boolean, boolean]>([
    ['any node', daemonSet(), node('n'), true, true],
    [
      'not one that the node selector leaves out',
      daemonSet({}, { nodeSelector: { gpu: 'yes' } }),
      node('n'),
      false,
      false,
    ],
    [
      'one that the node selector names',
      daemonSet({}, { nodeSelector: { gpu: 'yes' } }),
      node('n', {}, { labels: { gpu: 'yes' } }),
      true,
      true,
    ],
    ['not another one than the template names', daemonSet({}, { nodeName: 'm' }), node('n'), false, false],
    [
      'one that is unreachable',
      daemonSet(),
      tainted('node.kubernetes.io/unreachable', 'NoExecute'),
      true,
      true,
    ],
    [
      'one that is cordoned',
      daemonSet(),
      tainted('node.kubernetes.io/unschedulable', 'NoSchedule'),
      true,
      true,
    ],
    [
      'none whose taint repels new pods, though running ones stay',
      daemonSet(),
      tainted('dedicated', 'NoSchedule'),
      false,
      true,
    ],
    ['none whose taint evicts', daemonSet(), tainted('dedicated', 'NoExecute'), false, false],
    [
      'one whose taint is tolerated',
      daemonSet({}, { tolerations: [{ operator: 'Exists' }] }),
      tainted('dedicated', 'NoExecute'),
      true,
      true,
    ],
    [
      'one without a network only as a daemon of the host network',
      daemonSet({}, { hostNetwork: true }),
      tainted('node.kubernetes.io/network-unavailable', 'NoSchedule'),
      true,
      true,
    ],
  ])('%s', (_, owner, on, starts, stays) => {
    expect(eligibilityOf(owner, on)).toEqual({ starts, stays });
  });

  it('honours required node affinity', () => {
    const affinity = pinnedTo('b', undefined);
    expect(eligibilityOf(daemonSet({}, { affinity }), node('a')).starts).toBe(false);
    expect(eligibilityOf(daemonSet({}, { affinity }), node('b')).starts).toBe(true);
  });
});

describe('a DaemonSet', () => {
  it('makes one pod for each node, pinned to it, and leaves the choice to the scheduler', () => {
    const { actions, because } = daemonSetController.reconcile(
      observed(daemonSet(), { nodes: [node('a'), node('b')] }),
      now,
    );
    const pods = created(actions);
    expect(pods.map(({ spec }) => targetNode(spec))).toEqual(['a', 'b']);
    expect(pods.every(({ spec }) => spec.nodeName === undefined)).toBe(true);
    expect(pods[0]?.metadata.labels).toMatchObject({ app: 'logs', 'controller-revision-hash': 'old' });
    expect(new Set(pods.map(({ metadata }) => metadata.name)).size).toBe(2);
    expect(because).toBe('creates 2 pods and deletes 0: 2 nodes should run one');
  });

  it('names the pods of one view the same every time, and another when the name is taken', () => {
    const owner = daemonSet();
    const one = (extra: Partial<DaemonSetObserved> = {}) =>
      created(
        daemonSetController.reconcile(observed(owner, { nodes: [node('a')], ...extra }), now).actions,
      )[0]?.metadata.name;
    expect(one()).toBe(one());
    expect(one({ isTaken: (name) => name === one() })).not.toBe(one());
  });

  it('waits for a pod that ends before it makes the next one', () => {
    const { actions } = daemonSetController.reconcile(
      observed(daemonSet(), { nodes: [node('a')], controlled: [daemon('x', 'a', { deleting: true })] }),
      now,
    );
    expect(created(actions)).toEqual([]);
  });

  it('takes its pod from a node that evicts it, and one that waits for a node that is gone', () => {
    const waiting = daemon('w', '', { phase: 'Pending', spec: { affinity: pinnedTo('gone', undefined) } });
    const { actions } = daemonSetController.reconcile(
      observed(daemonSet(), {
        nodes: [node('a', { taints: [{ key: 'out', effect: 'NoExecute' }] })],
        controlled: [daemon('x', 'a'), waiting],
      }),
      now,
    );
    expect(deleted(actions)).toEqual(['x', 'w']);
  });

  it('replaces a pod that failed, but not at once', () => {
    const failed = (age: number) =>
      daemonSetController.reconcile(
        observed(daemonSet(), {
          nodes: [node('a')],
          controlled: [daemon('x', 'a', { phase: 'Failed', ready: false, age })],
        }),
        now,
      );
    expect(deleted(failed(4).actions)).toEqual([]);
    expect(failed(4).wakeAt).toBe(now + 6000);
    expect(deleted(failed(11).actions)).toEqual(['x']);
  });

  it('keeps the oldest of two pods on one node', () => {
    const { actions } = daemonSetController.reconcile(
      observed(daemonSet(), {
        nodes: [node('a')],
        controlled: [daemon('young', 'a', { age: 5 }), daemon('old', 'a', { age: 50 })],
      }),
      now,
    );
    expect(deleted(actions)).toEqual(['young']);
  });

  it('reports what runs where', () => {
    const { actions } = daemonSetController.reconcile(
      observed(daemonSet(), {
        nodes: [node('a'), node('b'), node('c', { taints: [{ key: 'x', effect: 'NoSchedule' }] })],
        controlled: [daemon('1', 'a'), daemon('2', 'b', { ready: false, hash: 'older' }), daemon('3', 'c')],
      }),
      now,
    );
    expect(actions[0]).toMatchObject({
      type: 'updateStatus',
      object: {
        status: {
          desiredNumberScheduled: 2,
          currentNumberScheduled: 2,
          numberMisscheduled: 1,
          numberReady: 1,
          numberAvailable: 1,
          numberUnavailable: 1,
          updatedNumberScheduled: 1,
        },
      },
    });
  });

  it('that is being deleted makes nothing', () => {
    const owner = daemonSet();
    const going = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: at(0) } };
    const { actions } = daemonSetController.reconcile(observed(going, { nodes: [node('a')] }), now);
    expect(created(actions)).toEqual([]);
  });

  it('with OnDelete leaves old pods alone', () => {
    const owner = daemonSet({ updateStrategy: { type: 'OnDelete' } });
    const { actions } = daemonSetController.reconcile(
      observed(owner, { nodes: [node('a')], controlled: [daemon('x', 'a', { hash: 'older' })] }),
      now,
    );
    expect(deleted(actions)).toEqual([]);
  });
});

describe('the history of a template', () => {
  const owner = daemonSet();

  it('begins with the first template, as a patch that brings it back', () => {
    const { actions } = historyOf({ owner, revisions: [], namesake: undefined });
    expect(actions).toMatchObject([
      { type: 'create', object: { revision: 1, data: { spec: { template: { $patch: 'replace' } } } } },
    ]);
  });

  it('moves a template that comes back to its end', () => {
    const other = daemonSet({}, { hostNetwork: true });
    const revisions = [revisionOf(owner, 1, 'logs-a'), revisionOf(other, 2, 'logs-b')];
    const { name, hash, actions } = historyOf({ owner, revisions, namesake: undefined });
    expect({ name, hash }).toEqual({ name: 'logs-a', hash: 'a' });
    expect(actions).toMatchObject([
      { type: 'update', object: { metadata: { name: 'logs-a' }, revision: 3 } },
    ]);
  });

  it('adopts what an owner of the same name left behind, and counts a collision with anything else', () => {
    const left = { ...revisionOf(owner), metadata: { ...revisionOf(owner).metadata, ownerReferences: [] } };
    expect(historyOf({ owner, revisions: [], namesake: left }).actions[0]?.type).toBe('patch');
    const foreign = { ...left, data: {} };
    expect(historyOf({ owner, revisions: [], namesake: foreign })).toMatchObject({
      collides: true,
      actions: [],
    });
  });

  it('keeps as many old revisions as the limit says, and all that pods are made from', () => {
    const small = daemonSet({ revisionHistoryLimit: 1 });
    const old = [1, 2, 3].map((number) =>
      revisionOf(daemonSet({}, { priority: number }), number, `logs-${String(number)}`),
    );
    const { actions } = daemonSetController.reconcile(
      observed(small, {
        nodes: [node('a')],
        controlled: [daemon('x', 'a', { hash: '1', ready: false, deleting: true })],
        revisions: [...old, revisionOf(small, 4, 'logs-4')],
      }),
      now,
    );
    expect(deleted(actions)).toEqual(['logs-2']);
  });
});

describe('bounds of a rollout over nodes', () => {
  it.each([
    [10, '25%', 0, 0, 3],
    [10, 0, '25%', 3, 0],
    [10, 0, 0, 0, 1],
    [0, '25%', 0, 0, 1],
  ])(
    'of %i nodes with unavailable %s and surge %s',
    (nodes, maxUnavailable, maxSurge, surge, unavailable) => {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } };
      expect(boundsOf(daemonSet({ updateStrategy }), nodes)).toEqual({ surge, unavailable });
    },
  );
});

describe.each(seeds([1, 2, 3]))('rolling updates over nodes (seed %i)', (seed) => {
  interface Model {
    readonly node: string;
    pods: { readonly hash: string; ready: boolean; deleting: boolean; readonly name: string }[];
  }

  it('keep within their bounds, never run two of one template on a node, and come to an end', () => {
    const random = createRandom(seed);
    for (let round = 0; round < 60; round += 1) {
      const count = 1 + random.integer(8);
      const surge = random.chance(0.5) ? 1 + random.integer(count) : 0;
      const unavailable = surge > 0 ? 0 : 1 + random.integer(count);
      const turn: Turn = { hash: 'new', bounds: { surge, unavailable }, minReadySeconds: 0, now };
      let names = 0;
      const nodes = Array.from({ length: count }, (_, index): Model => ({
        node: `n${String(index)}`,
        pods: [{ hash: 'old', ready: true, deleting: false, name: `p${String((names += 1))}` }],
      }));
      const entry = (model: Model): NodePods => ({
        node: model.node,
        starts: true,
        stays: true,
        pods: model.pods.map(({ hash, ready, deleting, name }) =>
          daemon(name, model.node, { hash, ready, deleting }),
        ),
      });
      let steps = 0;
      while (nodes.some(({ pods }) => pods.length !== 1 || pods[0]?.hash !== 'new' || !pods[0].ready)) {
        const entries = nodes.map(entry);
        const first = settled(entries, turn);
        const changes = first.create.length + first.remove.length > 0 ? first : rolled(entries, turn);
        const gone = new Set(changes.remove.map(({ metadata }) => metadata.name));
        for (const model of nodes) {
          for (const one of model.pods) if (gone.has(one.name)) one.deleting = true;
          if (changes.create.includes(model.node))
            model.pods.push({ hash: 'new', ready: false, deleting: false, name: `p${String((names += 1))}` });
        }
        const active = nodes.map(({ pods }) => pods.filter(({ deleting }) => !deleting));
        expect(active.filter((pods) => !pods.some(({ ready }) => ready)).length).toBeLessThanOrEqual(
          unavailable,
        );
        expect(active.filter((pods) => pods.length > 1).length).toBeLessThanOrEqual(surge);
        for (const pods of active) expect(new Set(pods.map(({ hash }) => hash)).size).toBe(pods.length);
        for (const model of nodes) {
          if (random.chance(0.5)) model.pods = model.pods.filter(({ deleting }) => !deleting);
          for (const one of model.pods) if (random.chance(0.4)) one.ready = true;
        }
        steps += 1;
        expect(steps).toBeLessThan(500);
      }
    }
  });
});
