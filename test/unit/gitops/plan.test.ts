import { describe, expect, it } from 'vitest';
import { ApplicationState } from '../../../src/gitops/application-state.js';
import { applicationDefaults } from '../../../src/gitops/cluster-config.js';
import { differences, sameIntent } from '../../../src/gitops/difference.js';
import { rankOf } from '../../../src/gitops/kind-order.js';
import { planApplication, type Observation, type PlanInput } from '../../../src/gitops/plan.js';
import type { DesiredObject, RenderedApplication } from '../../../src/gitops/render.js';
import { storeKey, type Kind } from '../../../src/resources/kind.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { secrets } from '../../../src/resources/kinds/secrets.js';
import { services } from '../../../src/resources/kinds/services.js';
import type { Resource } from '../../../src/resources/resource.js';
import { createRandom } from '../../contract/random.js';

const desired = (kind: Kind, name: string): DesiredObject => {
  const namespace = kind.namespaced ? 'ns' : undefined;
  const object = {
    apiVersion: 'v1',
    kind: kind.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
  return {
    id: storeKey(kind, name, namespace),
    manifest: {
      kind,
      name,
      namespace,
      object,
      position: { line: 4, column: 3 },
      place: { index: 0, item: '' },
    },
    namespace,
    object,
    file: `${name}.yaml`,
    blob: '0'.repeat(40),
  };
};

const live = (kind: Kind, name: string, application: string | undefined, more: object = {}): Resource => ({
  apiVersion: 'v1',
  kind: kind.kind,
  metadata: {
    name,
    ...(kind.namespaced ? { namespace: 'ns' } : {}),
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(application === undefined ? {} : { labels: { 'capstan.dev/application': application } }),
  },
  ...more,
});

const owned = (kind: Kind, name: string, application = 'web') => ({
  kind,
  object: live(kind, name, application),
  id: storeKey(kind, name, kind.namespaced ? 'ns' : undefined),
});

const plan = (input: Partial<PlanInput>) =>
  planApplication({
    spec: { name: 'web', dependsOn: [], prune: true },
    revision: 'a'.repeat(40),
    objects: [],
    problems: [],
    observed: () => ({ state: 'absent' }),
    owned: [],
    wantedElsewhere: () => undefined,
    ...input,
  });

const present = (before: Resource, after: Resource): Observation => ({
  state: 'present',
  live: before,
  result: after,
});
const summary = ({ changes }: ReturnType<typeof plan>): readonly string[] =>
  changes.map(({ action, kind, name }) => `${action} ${kind.kind} ${name.name}`);

describe('a plan', () => {
  it('goes by kind, and deletes the other way round, last', () => {
    const objects = [
      desired(deployments, 'd'),
      desired(services, 's'),
      desired(namespaces, 'n'),
      desired(configmaps, 'c'),
    ];
    const gone = [owned(configmaps, 'old'), owned(deployments, 'old'), owned(namespaces, 'old')];
    expect(summary(plan({ objects, owned: gone }))).toEqual([
      'create Namespace n',
      'create ConfigMap c',
      'create Service s',
      'create Deployment d',
      'delete Deployment old',
      'delete ConfigMap old',
      'delete Namespace old',
    ]);
  });

  it('takes over what nobody keeps, and what another application has let go, and says so', () => {
    const object = desired(configmaps, 'c');
    const adopted = (before: Resource) =>
      plan({ objects: [object], observed: () => present(before, live(configmaps, 'c', 'web')) }).changes[0];
    expect(adopted(live(configmaps, 'c', undefined))).toMatchObject({
      action: 'update',
      note: 'exists already and is taken over',
      fields: [],
    });
    expect(adopted(live(configmaps, 'c', 'shop'))).toMatchObject({
      note: 'is taken over from application shop',
    });
  });

  it('is nothing but a conflict when another application holds the object', () => {
    const made = plan({
      objects: [desired(configmaps, 'c'), desired(configmaps, 'other')],
      observed: ({ manifest }) =>
        manifest.name === 'c'
          ? present(live(configmaps, 'c', 'shop'), live(configmaps, 'c', 'web'))
          : { state: 'absent' },
      wantedElsewhere: () => 'shop',
    });
    expect(made.changes).toEqual([]);
    expect(made.problems).toEqual([
      {
        file: 'c.yaml',
        line: 4,
        column: 3,
        message: 'ConfigMap c is owned by application shop: remove it there first, or here',
      },
    ]);
  });

  it('keeps what is not to be pruned, and what another application wants now', () => {
    expect(
      plan({ owned: [owned(configmaps, 'c')], spec: { name: 'web', dependsOn: [], prune: false } }),
    ).toMatchObject({ changes: [], kept: [{ name: { name: 'c' } }] });
    expect(plan({ owned: [owned(configmaps, 'c')], wantedElsewhere: () => 'shop' }).changes).toEqual([]);
  });

  it('counts the pods that a new template rolls, and none for other changes', () => {
    const spec = (image: string, replicas: number) => ({
      spec: { replicas, template: { spec: { containers: [{ name: 'm', image }] } } },
    });
    const rolls = (after: object): unknown => {
      const observed = (): Observation =>
        present(live(deployments, 'd', 'web', spec('a', 3)), live(deployments, 'd', 'web', after));
      const [change] = plan({ objects: [desired(deployments, 'd')], observed }).changes;
      return change?.action === 'update' ? change.rolls : undefined;
    };
    expect(rolls(spec('b', 3))).toBe(3);
    expect(rolls(spec('a', 5))).toBe(0);
  });

  it('never deletes what is wanted, makes what is absent once, and is empty when it has been carried out', () => {
    const kinds: readonly Kind[] = [configmaps, services, deployments, namespaces];
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = createRandom(seed);
      const pick = (): { kind: Kind; name: string } => ({
        kind: kinds[random.integer(kinds.length)]!,
        name: `o${String(random.integer(12))}`,
      });
      const unique = <T extends { readonly id: string }>(items: readonly T[]): T[] => [
        ...new Map(items.map((item) => [item.id, item])).values(),
      ];
      const objects = unique(
        Array.from({ length: random.integer(15) }, pick).map(({ kind, name }) => desired(kind, name)),
      );
      const have = unique(
        Array.from({ length: random.integer(15) }, pick).map(({ kind, name }) => owned(kind, name)),
      );
      const ids = new Set(have.map(({ id }) => id));
      const made = plan({
        objects,
        owned: have,
        observed: ({ id }) => (ids.has(id) ? { state: 'settled' } : { state: 'absent' }),
      });
      const wanted = new Set(objects.map(({ id }) => id));
      const idOf = ({
        kind,
        name,
      }: {
        kind: Kind;
        name: { name: string; namespace?: string | undefined };
      }): string => storeKey(kind, name.name, name.namespace);
      const deleted = made.changes.filter(({ action }) => action === 'delete').map(idOf);
      const created = made.changes.filter(({ action }) => action === 'create').map(idOf);
      expect(
        deleted.filter((id) => wanted.has(id)),
        `seed ${String(seed)}`,
      ).toEqual([]);
      expect(created.sort(), `seed ${String(seed)}`).toEqual([...wanted].filter((id) => !ids.has(id)).sort());
      const ranks = made.changes.filter(({ action }) => action !== 'delete').map(({ kind }) => rankOf(kind));
      expect(ranks, `seed ${String(seed)}`).toEqual([...ranks].sort((a, b) => a - b));
      const after = objects.map(({ manifest: { kind, name } }) => owned(kind, name));
      expect(
        plan({ objects, owned: after, observed: () => ({ state: 'settled' }) }).changes,
        `seed ${String(seed)}`,
      ).toEqual([]);
    }
  });
});

describe('a difference', () => {
  it('names fields as people do, and leaves bookkeeping out', () => {
    const before = live(deployments, 'd', 'web', {
      spec: { containers: [{ name: 'a', image: '1' }, { name: 'b' }] },
      status: { x: 1 },
    });
    const after = {
      ...before,
      metadata: { ...before.metadata, resourceVersion: '2', generation: 5 },
      spec: { containers: [{ name: 'a', image: '2' }, { name: 'c' }] },
      status: { x: 2 },
    };
    expect(differences(before, after)).toEqual([
      { field: 'spec.containers[a].image', from: '1', to: '2' },
      { field: 'spec.containers[b]', from: { name: 'b' } },
      { field: 'spec.containers[c]', to: { name: 'c' } },
    ]);
  });

  it('never shows the values of a Secret', () => {
    const found = differences(
      live(secrets, 's', 'web', { data: { a: 'b2xk', b: 'eA==' } }),
      live(secrets, 's', 'web', { data: { a: 'bmV3' }, type: 'Opaque' }),
    );
    expect(found).toEqual([
      { field: 'data.a', from: '(hidden)', to: '(hidden)' },
      { field: 'data.b', from: '(hidden)' },
      { field: 'type', to: 'Opaque' },
    ]);
    expect(
      JSON.stringify(
        differences(live(secrets, 's', 'web'), live(secrets, 's', 'web', { data: { a: 'bmV3' } })),
      ),
    ).not.toContain('bmV3');
  });

  it('sees no other intent in a new status, and one in a new label', () => {
    const before = live(configmaps, 'c', 'web', { status: { a: 1 } });
    expect(
      sameIntent(before, {
        ...before,
        metadata: { ...before.metadata, resourceVersion: '9' },
        status: { a: 2 },
      } as Resource),
    ).toBe(true);
    expect(sameIntent(before, { ...before, metadata: { ...before.metadata, labels: {} } })).toBe(false);
  });
});

describe('what is remembered of an application', () => {
  const rendition = (...objects: readonly DesiredObject[]): RenderedApplication => ({
    spec: applicationDefaults('web', 'web'),
    tree: '1'.repeat(40),
    files: new Map(),
    objects,
    problems: [],
    ownProblems: [],
  });
  const [one, two] = ['a'.repeat(40), 'b'.repeat(40)] as const;

  it('a newer revision ends the sync of the one before', () => {
    const state = new ApplicationState('web');
    state.aim({ revision: one, rendered: rendition(desired(configmaps, 'c')) });
    state.supersede = new AbortController();
    state.aim({ revision: two, rendered: rendition(desired(configmaps, 'c')) });
    expect(state.supersede.signal.aborted).toBe(true);
    expect((state.supersede.signal.reason as Error).message).toBe('superseded by bbbbbbbb');
  });

  it('a commit that changes other applications moves the revision and nothing else', () => {
    const state = new ApplicationState('web');
    const rendered = rendition(desired(configmaps, 'c'));
    state.aim({ revision: one, rendered });
    state.carriedOut(state.target!);
    state.aim({ revision: two, rendered });
    expect([state.isNew, state.syncedRevision]).toEqual([false, two]);
  });

  it('a refused revision leaves the one before in its place, and comes back when it is tried again', () => {
    const state = new ApplicationState('web');
    state.aim({ revision: one, rendered: rendition(desired(configmaps, 'c')) });
    expect(state.refuse([], 5)).toBe(false);
    state.carriedOut(state.target!);
    state.aim({ revision: two, rendered: rendition(desired(configmaps, 'd')) });
    expect(state.refuse([{ file: 'd.yaml', line: 1, column: 1, message: 'no' }], 5)).toBe(true);
    expect([state.target?.revision, state.head?.revision, state.head?.problems.length, state.isNew]).toEqual([
      one,
      two,
      1,
      false,
    ]);
    state.tryAgain();
    expect([state.target?.revision, state.head?.problems.length, state.isNew]).toEqual([two, 0, true]);
  });
});
