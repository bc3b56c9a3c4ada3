import { describe, expect, it } from 'vitest';
import { applyObject } from '../../../../src/apiserver/patch/apply.js';
import { fieldsOfEntry, pathsOf, sorted } from '../../../../src/apiserver/patch/field-set.js';
import { updateManagedFields } from '../../../../src/apiserver/patch/managed-fields.js';
import { ClusterError } from '../../../../src/base/errors.js';
import type { Kind } from '../../../../src/resources/kind.js';
import { configmaps } from '../../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { services } from '../../../../src/resources/kinds/services.js';
import type { Draft, Resource } from '../../../../src/resources/resource.js';

type Live = ReturnType<typeof applyObject>;
const now = Date.UTC(2026, 0, 1);

const apply = (
  kind: Kind,
  live: Live | undefined,
  applied: object,
  { manager = 'capstan', force = false, at = now } = {},
): Live => applyObject({ kind, live, applied: applied as Draft, manager, force, now: at });
const update = (kind: Kind, before: Live, change: object, manager = 'kubectl'): Live => {
  const after = { ...before, ...change } as Live;
  const managedFields = updateManagedFields({ kind, before, after, manager, operation: 'Update', now });
  return { ...after, metadata: { ...after.metadata, managedFields } };
};
const owners = (object: Resource): Record<string, string[]> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry) => [
      entry.manager,
      [...pathsOf(fieldsOfEntry(entry))].sort(),
    ]),
  );
const conflictOf = (run: () => unknown): ClusterError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ClusterError) return error;
    throw error;
  }
  throw new Error('there was no conflict');
};

const deployment = (spec: object, container: object = {}): object => ({
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'web:1', ...container }] },
    },
    ...spec,
  },
});
const config = (data: object): object => ({ metadata: { name: 'c', namespace: 'shop' }, data });

describe('server-side apply', () => {
  it('makes an absent object, owned by its manager in the form that Kubernetes writes', () => {
    const made = apply(
      deployments,
      undefined,
      deployment({ replicas: 2 }, { ports: [{ containerPort: 80 }] }),
    );
    expect(made.metadata.managedFields).toEqual([
      {
        manager: 'capstan',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:template': {
              'f:metadata': { 'f:labels': { 'f:app': {} } },
              'f:spec': {
                'f:containers': {
                  'k:{"name":"web"}': {
                    '.': {},
                    'f:image': {},
                    'f:name': {},
                    'f:ports': {
                      'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ]);
  });

  it('changes nothing when the same is applied again, defaults and all', () => {
    const made = apply(deployments, undefined, deployment({}, { ports: [{ containerPort: 80 }] }));
    const defaulted = structuredClone(made) as unknown as {
      spec: {
        replicas?: number;
        template: { spec: { dnsPolicy?: string; containers: { ports: object[] }[] } };
      };
    };
    defaulted.spec.replicas = 1;
    defaulted.spec.template.spec.dnsPolicy = 'ClusterFirst';
    Object.assign(defaulted.spec.template.spec.containers[0]?.ports[0] ?? {}, { protocol: 'TCP' });
    const live = defaulted as unknown as Live;
    expect(
      apply(deployments, live, deployment({}, { ports: [{ containerPort: 80 }] }), { at: now + 1e6 }),
    ).toBe(live);
  });

  it('takes away what its manager no longer applies, with the defaults below it', () => {
    const made = apply(
      deployments,
      undefined,
      deployment({}, { readinessProbe: { httpGet: { path: '/', port: 80 } } }),
    );
    const live = structuredClone(made) as unknown as {
      spec: { template: { spec: { containers: { readinessProbe?: object }[] } } };
    };
    Object.assign(live.spec.template.spec.containers[0]?.readinessProbe ?? {}, { periodSeconds: 10 });
    const next = apply(deployments, live as unknown as Live, deployment({}));
    expect(next['spec']).toEqual((deployment({}) as { spec: object }).spec);
  });

  it('takes away a list element by its key and leaves the others', () => {
    const ports = (...names: string[]): object => ({
      metadata: { name: 's', namespace: 'shop' },
      spec: { ports: names.map((name, index) => ({ name, port: 80 + index, protocol: 'TCP' })) },
    });
    const made = apply(services, undefined, ports('a', 'b'));
    expect(apply(services, made, ports('a'))['spec']).toEqual({
      ports: [{ name: 'a', port: 80, protocol: 'TCP' }],
    });
  });

  it('keeps what another manager owns too', () => {
    const first = apply(configmaps, undefined, config({ a: '1', b: '2' }));
    const both = apply(configmaps, first, config({ a: '1' }), { manager: 'other' });
    const next = apply(configmaps, both, config({ b: '2' }));
    expect(next['data']).toEqual({ a: '1', b: '2' });
    expect(owners(next)).toEqual({ other: ['.data.a'], capstan: ['.data.b'] });
    expect(apply(configmaps, next, config({}), { manager: 'other' })['data']).toEqual({ b: '2' });
  });

  it('meets a conflict, with a cause for each field, where another manager has another value', () => {
    const made = apply(deployments, undefined, deployment({ replicas: 2 }));
    const scaled = update(deployments, made, { spec: { ...(made['spec'] as object), replicas: 5 } });
    expect(owners(scaled)['kubectl']).toEqual(['.spec.replicas']);
    const conflict = conflictOf(() => apply(deployments, scaled, deployment({ replicas: 2 })));
    expect(conflict.code).toBe('Conflict');
    expect(conflict.message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
    );
    expect(conflict.fields).toEqual([
      {
        type: 'FieldManagerConflict',
        field: '.spec.replicas',
        message: 'conflict with "kubectl" using apps/v1',
      },
    ]);
    const forced = apply(deployments, scaled, deployment({ replicas: 2 }), { force: true });
    expect((forced['spec'] as { replicas: number }).replicas).toBe(2);
    expect(owners(forced)['kubectl']).toBeUndefined();
  });

  it('shares a field when both managers apply the same value', () => {
    const first = apply(configmaps, undefined, config({ a: '1' }));
    const both = apply(configmaps, first, config({ a: '1' }), { manager: 'other' });
    expect(owners(both)).toEqual({ capstan: ['.data.a'], other: ['.data.a'] });
    expect(conflictOf(() => apply(configmaps, both, config({ a: '2' }))).fields).toHaveLength(1);
  });

  it('gives objects that nobody owned to before-first-apply', () => {
    const live = { apiVersion: 'v1', kind: 'ConfigMap', ...config({ a: '1' }) } as unknown as Live;
    expect(conflictOf(() => apply(configmaps, live, config({ a: '2' }))).message).toContain(
      '"before-first-apply"',
    );
    expect(apply(configmaps, live, config({ b: '2' }))['data']).toEqual({ a: '1', b: '2' });
  });

  it('refuses an apply without a manager and one that brings managedFields', () => {
    expect(() => apply(configmaps, undefined, config({}), { manager: '' })).toThrow(
      /fieldManager is required/,
    );
    const brought = { metadata: { name: 'c', managedFields: [{}] } };
    expect(() => apply(configmaps, undefined, brought)).toThrow('metadata.managedFields must be nil');
  });
});

describe('field ownership under random writers', () => {
  const random = (seed: number) => (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };

  it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))('seed %i', (seed) => {
    const next = random(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
    const someData = (): Record<string, string> =>
      Object.fromEntries(
        ['a', 'b', 'c', 'd'].filter(() => next() < 0.5).map((key) => [key, pick(['1', '2'])]),
      );
    const last: Record<string, Record<string, string>> = {};
    let live: Live | undefined;
    for (let step = 0; step < 60; step += 1) {
      const manager = pick(['x', 'y', 'z']);
      const data = someData();
      live = apply(configmaps, live, config(data), { manager, force: true });
      last[manager] = data;
      const present = (live['data'] ?? {}) as Record<string, string>;
      expect(present, 'what was applied is there').toMatchObject(data);
      expect(apply(configmaps, live, config(data), { manager }), 'applying again changes nothing').toBe(live);
      const owned = new Set(Object.values(owners(live)).flat());
      for (const key of Object.keys(present)) expect(owned, `${key} has an owner`).toContain(`.data.${key}`);
      for (const path of owned)
        if (path !== '.data') expect(present, `${path} exists`).toHaveProperty([path.slice(6)]);
      for (const entry of live.metadata.managedFields ?? [])
        expect(JSON.stringify(sorted(fieldsOfEntry(entry)!))).toBe(JSON.stringify(entry.fieldsV1));
    }
  });
});
