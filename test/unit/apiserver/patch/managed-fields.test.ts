import { describe, expect, it } from 'vitest';
import { updateManagedFields } from '../../../../src/apiserver/patch/managed-fields.js';
import { configmaps } from '../../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { apply, entries, fieldsOf, owners, start, update, type Live } from './ownership.js';

const config = (data: object, metadata: object = {}): Live =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', ...metadata }, data }) as unknown as Live;
const changedTo = (live: Live, data: object): object => ({ ...live, data });

describe('the owners of fields after an update', () => {
  it('are who created the object, in the form that Kubernetes writes', () => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'web',
        uid: 'u',
        resourceVersion: '1',
        creationTimestamp: '2026-01-01T00:00:00Z',
        labels: { app: 'web' },
      },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        strategy: { rollingUpdate: { maxSurge: '25%' }, type: 'RollingUpdate' },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 80, protocol: 'TCP' }] }],
            securityContext: {},
          },
        },
      },
    };
    expect(entries(update(deployments, undefined, object, { manager: 'kubectl-create' }))).toEqual([
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion: 'apps/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
            'f:template': {
              'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
              'f:spec': {
                'f:containers': {
                  'k:{"name":"web"}': {
                    '.': {},
                    'f:image': {},
                    'f:name': {},
                    'f:ports': {
                      '.': {},
                      'k:{"containerPort":80,"protocol":"TCP"}': {
                        '.': {},
                        'f:containerPort': {},
                        'f:protocol': {},
                      },
                    },
                  },
                },
                'f:securityContext': {},
              },
            },
          },
        },
      },
    ]);
  });

  it('change where values change, and only there', () => {
    const made = update(configmaps, undefined, config({ a: '1', b: '1', c: '1' }), { manager: 'one' });
    const next = update(configmaps, made, changedTo(made, { a: '2', b: '1', d: '1' }), { manager: 'two' });
    expect(owners(next)).toEqual({ one: ['.data', '.data.b'], two: ['.data.a', '.data.d'] });
  });

  it('end with the fields: who owns nothing any more is forgotten', () => {
    const made = update(configmaps, undefined, config({ a: '1' }), { manager: 'one' });
    const more = update(configmaps, made, changedTo(made, { a: '1', b: '1' }), { manager: 'two' });
    const less = update(configmaps, more, changedTo(more, { a: '1' }), { manager: 'three' });
    expect(Object.keys(owners(less))).toEqual(['one']);
  });

  it('are told apart by subresource', () => {
    const made = update(
      deployments,
      undefined,
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { replicas: 1 },
      },
      { manager: 'ctl' },
    );
    const next = update(
      deployments,
      made,
      { ...made, status: { replicas: 1 } },
      {
        manager: 'ctl',
        subresource: 'status',
      },
    );
    expect(owners(next)).toEqual({ ctl: ['.spec.replicas'], 'ctl/status': ['.status.replicas'] });
  });

  it('are told apart by operation: an applier loses what it updates itself', () => {
    const made = apply(configmaps, undefined, config({ a: '1', b: '1' }), { manager: 'same' });
    const next = update(configmaps, made, changedTo(made, { a: '2', b: '1' }), { manager: 'same' });
    expect(entries(next).map(({ operation, fieldsV1 }) => [operation, fieldsV1])).toEqual([
      ['Apply', { 'f:data': { 'f:b': {} } }],
      ['Update', { 'f:data': { 'f:a': {} } }],
    ]);
  });

  it('stay the very same entries when nothing that can be owned changes', () => {
    const made = update(configmaps, undefined, config({ a: '1' }));
    const touched = config({ a: '1' }, { ...made.metadata, resourceVersion: '9', generation: 4 });
    const managedFields = updateManagedFields({
      kind: configmaps,
      before: made,
      after: touched,
      manager: 'other',
      operation: 'Update',
      now: start + 1e6,
    });
    expect(managedFields).toBe(made.metadata.managedFields);
  });

  it('get a new time when their manager changes a field again, the others keep theirs', () => {
    const made = update(configmaps, undefined, config({ a: '1', b: '1' }), { manager: 'one' });
    const later = update(configmaps, made, changedTo(made, { a: '2', b: '1' }), {
      manager: 'two',
      now: start + 60_000,
    });
    const latest = update(configmaps, later, changedTo(later, { a: '3', b: '1' }), {
      manager: 'two',
      now: start + 120_000,
    });
    expect(entries(latest).map(({ manager, time }) => [manager, time])).toEqual([
      ['one', '2026-01-01T00:00:00Z'],
      ['two', '2026-01-01T00:02:00Z'],
    ]);
  });

  it('stand with appliers first, then by time and name', () => {
    let live = update(configmaps, undefined, config({ a: '1' }), { manager: 'z' });
    live = update(configmaps, live, changedTo(live, { a: '1', b: '1' }), { manager: 'y' });
    live = apply(configmaps, live, config({ c: '1' }), { manager: 'x', now: start + 1e6 });
    live = update(configmaps, live, changedTo(live, { ...(live['data'] as object), d: '1' }), {
      manager: 'a',
      now: start + 2e6,
    });
    expect(entries(live).map(({ manager }) => manager)).toEqual(['x', 'y', 'z', 'a']);
  });

  it('are at most ten updaters: the oldest become one', () => {
    let live = update(configmaps, undefined, config({ k0: '1' }), { manager: 'm0' });
    for (let n = 1; n < 30; n += 1) {
      const data = { ...(live['data'] as object), [`k${String(n)}`]: '1' };
      live = update(configmaps, live, changedTo(live, data), {
        manager: `m${String(n)}`,
        now: start + n * 1000,
      });
    }
    const known = owners(live);
    expect(Object.keys(known)).toHaveLength(10);
    expect(Object.keys(known)).toContain('m29');
    expect(known['ancient-changes']).toContain('.data.k0');
    expect(new Set(Object.values(known).flat())).toEqual(
      new Set(['.data', ...Array.from({ length: 30 }, (_, n) => `.data.k${String(n)}`)]),
    );
  });
});

describe('entries that a client sends', () => {
  const made = update(configmaps, undefined, config({ a: '1' }), { manager: 'one' });
  const sent = (managedFields: unknown, data: object = { a: '1' }): Live =>
    update(configmaps, made, config(data, { managedFields }), { manager: 'two' });

  it('are dropped by one empty entry', () => {
    expect(entries(sent([{}]))).toEqual([]);
  });

  it('take the place of the live ones', () => {
    const [entry] = entries(made);
    expect(owners(sent([{ ...entry, manager: 'renamed' }], { a: '1', b: '1' }))).toEqual({
      renamed: ['.data', '.data.a'],
      two: ['.data.b'],
    });
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty list', []],
    ['no entries', ['x']],
    [
      'an entry without a manager',
      [{ operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
    ],
    ['an entry of another form', [{ ...entries(made)[0], fieldsV1: { data: {} } }]],
    ['an entry with leaves that are no sets', [{ ...entries(made)[0], fieldsV1: { 'f:data': 1 } }]],
    [
      'an entry without end',
      [
        {
          ...entries(made)[0],
          fieldsV1: Array.from({ length: 5000 }).reduce<object>((below) => ({ 'f:a': below }), {}),
        },
      ],
    ],
  ])('leave the live ones when they make no sense: %s', (_, managedFields) => {
    expect(entries(sent(managedFields))).toBe(made.metadata.managedFields);
  });

  it('with keys that cannot be read are still shown in a conflict', () => {
    const [entry] = entries(made);
    const odd = [{ ...entry, fieldsV1: { 'f:data': { 'f:a': {} }, 'f:x': { 'k:{broken': {} } } }];
    const live = sent(odd);
    expect(owners(live)).toEqual({ one: ['.data.a', '.x[{broken]'] });
    expect(fieldsOf(live, 'one')).toEqual(odd[0]?.fieldsV1);
  });
});
