import { describe, expect, it } from 'vitest';
import { configmaps } from '../../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { services } from '../../../../src/resources/kinds/services.js';
import { apply, entries, fieldsOf, owners, refusal, start, update, type Live } from './ownership.js';

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
const podWith = (spec: object): object => ({ metadata: { name: 'p', namespace: 'shop' }, spec });
const config = (data: object): object => ({ metadata: { name: 'c', namespace: 'shop' }, data });
const service = (ports: readonly object[]): object => ({
  metadata: { name: 's', namespace: 'shop' },
  spec: { ports },
});
const containersOf = (object: Live): unknown => (object['spec'] as { containers: unknown }).containers;

describe('server-side apply', () => {
  it('makes an absent object, owned by its manager in the form that Kubernetes writes', () => {
    const made = apply(
      deployments,
      undefined,
      deployment({ replicas: 2 }, { ports: [{ containerPort: 80 }] }),
    );
    expect(made).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } });
    expect(entries(made)).toEqual([
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

  it.each<[string, object, string[]]>([
    [
      'labels and annotations key by key',
      { metadata: { labels: { a: '1' }, annotations: { 'x/y': '2' } } },
      ['.metadata.annotations.x/y', '.metadata.labels.a'],
    ],
    ['finalizers by value', { metadata: { finalizers: ['a/b'] } }, ['.metadata.finalizers[="a/b"]']],
    [
      'owners by uid',
      { metadata: { ownerReferences: [{ uid: 'u1', name: 'o' }] } },
      ['.metadata.ownerReferences[uid="u1"]'],
    ],
    [
      'tolerations and arguments as one value each',
      { spec: { tolerations: [{ key: 'k' }], containers: [{ name: 'a', args: ['x', 'y'] }] } },
      [
        '.spec.containers[name="a"]',
        '.spec.containers[name="a"].args',
        '.spec.containers[name="a"].name',
        '.spec.tolerations',
      ],
    ],
    [
      'environment variables by name',
      { spec: { containers: [{ name: 'a', env: [{ name: 'X', value: '1' }] }] } },
      [
        '.spec.containers[name="a"]',
        '.spec.containers[name="a"].env[name="X"]',
        '.spec.containers[name="a"].env[name="X"].name',
        '.spec.containers[name="a"].env[name="X"].value',
        '.spec.containers[name="a"].name',
      ],
    ],
    [
      'volumes by name, with an empty source',
      { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
      ['.spec.volumes[name="v"]', '.spec.volumes[name="v"].emptyDir', '.spec.volumes[name="v"].name'],
    ],
    ['a node selector as one value', { spec: { nodeSelector: { disk: 'ssd' } } }, ['.spec.nodeSelector']],
    [
      'nothing of what the server sets',
      {
        metadata: {
          uid: 'u',
          resourceVersion: '1',
          creationTimestamp: null,
          generation: 3,
          labels: { a: '1' },
        },
      },
      ['.metadata.labels.a'],
    ],
    ['nothing for an empty list whose elements have owners', { spec: { containers: [] } }, []],
    ['nothing of the status, which has a way of its own', { status: { phase: 'Running' } }, []],
  ])('owns %s', (_, applied, paths) => {
    const object = { ...applied, metadata: { name: 'p', ...(applied as { metadata?: object }).metadata } };
    expect(owners(apply(pods, undefined, object))['capstan'] ?? []).toEqual(paths);
  });

  it('changes nothing when the same is applied again, defaults and all', () => {
    const applied = deployment({}, { ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } });
    const made = deployments.defaulted(apply(deployments, undefined, applied) as never) as unknown as Live;
    expect((made['spec'] as { replicas: number }).replicas).toBe(1);
    expect(apply(deployments, made, structuredClone(applied), { now: start + 1e6 })).toBe(made);
  });

  it('keeps its time when it changes nothing, and takes the new one when it changes a value', () => {
    const made = apply(configmaps, undefined, config({ a: '1' }));
    const next = apply(configmaps, made, config({ a: '2' }), { now: start + 60_000 });
    expect(entries(made).map(({ time }) => time)).toEqual(['2026-01-01T00:00:00Z']);
    expect(entries(next).map(({ time }) => time)).toEqual(['2026-01-01T00:01:00Z']);
  });

  it('shares with the live object what it does not change, and leaves that one alone', () => {
    const live = apply(deployments, undefined, deployment({ replicas: 1 }, { args: ['x'] }));
    const before = structuredClone(live);
    const next = apply(deployments, live, deployment({ replicas: 2 }, { args: ['x'] }));
    const template = (object: Live): unknown => (object['spec'] as { template: unknown }).template;
    expect(template(next)).toBe(template(live));
    expect(live).toEqual(before);
  });
});

describe('what a manager no longer applies', () => {
  it('goes, with the defaults below it', () => {
    const probe = { readinessProbe: { httpGet: { path: '/', port: 80 } } };
    const made = apply(deployments, undefined, deployment({}, probe));
    const live = deployments.defaulted(made as never) as unknown as Live;
    const next = apply(deployments, live, deployment({}));
    const [container] = (next['spec'] as { template: { spec: { containers: object[] } } }).template.spec
      .containers;
    expect(container).not.toHaveProperty('readinessProbe');
    expect(container).toHaveProperty('imagePullPolicy');
  });

  it('goes element by element, and leaves elements of others', () => {
    const ports = (...names: string[]): object =>
      service(names.map((name) => ({ name, port: name.charCodeAt(0), protocol: 'TCP' })));
    const made = apply(services, undefined, ports('a', 'b'));
    const both = apply(services, made, ports('c'), { manager: 'other' });
    expect(apply(services, both, ports('b'))['spec']).toEqual({
      ports: [
        { name: 'b', port: 98, protocol: 'TCP' },
        { name: 'c', port: 99, protocol: 'TCP' },
      ],
    });
  });

  it('stays while another owner has it', () => {
    const first = apply(configmaps, undefined, config({ a: '1', b: '2' }));
    const both = apply(configmaps, first, config({ a: '1' }), { manager: 'other' });
    const next = apply(configmaps, both, config({ b: '2' }));
    expect(next['data']).toEqual({ a: '1', b: '2' });
    expect(owners(next)).toEqual({ other: ['.data.a'], capstan: ['.data.b'] });
    expect(apply(configmaps, next, config({}), { manager: 'other' })['data']).toEqual({ b: '2' });
  });

  it('stays while an updater has it', () => {
    const made = apply(configmaps, undefined, config({ a: '1', b: '1' }));
    const updated = update(configmaps, made, { ...made, data: { a: '2', b: '1' } });
    const next = apply(configmaps, updated, config({ b: '1' }), { force: true });
    expect(next['data']).toEqual({ a: '2', b: '1' });
  });

  it('goes as a whole element, even where another manager set a field of it', () => {
    const made = apply(
      pods,
      undefined,
      podWith({ containers: [{ name: 'a' }, { name: 'b', image: 'b:1' }] }),
    );
    const [a, b] = containersOf(made) as object[];
    const touched = update(pods, made, {
      ...made,
      spec: { containers: [a, { ...b, imagePullPolicy: 'Always' }] },
    });
    const next = apply(pods, touched, podWith({ containers: [{ name: 'a' }] }));
    expect(containersOf(next)).toEqual([{ name: 'a' }]);
    expect(owners(next)['kubectl']).toBeUndefined();
  });

  it('goes with the map when it was its last key, unless the empty map is applied', () => {
    const made = apply(configmaps, undefined, config({ a: '1' }));
    expect(apply(configmaps, made, { metadata: { name: 'c' } })).not.toHaveProperty('data');
    const emptied = apply(configmaps, made, config({}));
    expect(emptied['data']).toEqual({});
    expect(apply(configmaps, emptied, config({}))).toBe(emptied);
  });

  it('leaves alone what nobody owns', () => {
    const made = apply(deployments, undefined, deployment({ replicas: 3 }));
    const live = deployments.defaulted(made as never) as unknown as Live;
    const next = apply(deployments, live, deployment({}));
    expect(next['spec']).toMatchObject({ revisionHistoryLimit: 10 });
    expect(next['spec']).not.toHaveProperty('replicas');
  });

  it('goes when null is applied, which then is owned', () => {
    const made = apply(deployments, undefined, deployment({ replicas: 3 }));
    const next = apply(deployments, made, deployment({ replicas: null }));
    expect(next['spec']).not.toHaveProperty('replicas');
    expect(owners(next)['capstan']).toContain('.spec.replicas');
    expect(apply(deployments, next, deployment({ replicas: null }))).toBe(next);
  });
});

describe('a conflict', () => {
  const scaled = (): Live => {
    const made = apply(deployments, undefined, deployment({ replicas: 2 }));
    return update(deployments, made, { ...made, spec: { ...(made['spec'] as object), replicas: 5 } });
  };

  it('names the field and the manager in Kubernetes’ words', () => {
    expect(owners(scaled())['kubectl']).toEqual(['.spec.replicas']);
    expect(refusal(() => apply(deployments, scaled(), deployment({ replicas: 2 })))).toMatchObject({
      code: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
      fields: [
        {
          type: 'FieldManagerConflict',
          field: '.spec.replicas',
          message: 'conflict with "kubectl" using apps/v1',
        },
      ],
    });
  });

  it('lists every field of every manager', () => {
    const one = apply(configmaps, undefined, config({ a: '1', b: '1' }), { manager: 'zoe' });
    const two = apply(configmaps, one, config({ c: '1' }), { manager: 'adam' });
    const error = refusal(() => apply(configmaps, two, config({ a: '2', b: '2', c: '2' })));
    expect(error.message).toBe(
      [
        'Apply failed with 3 conflicts: conflicts with "adam":',
        '- .data.c',
        'conflicts with "zoe":',
        '- .data.a',
        '- .data.b',
      ].join('\n'),
    );
    expect(error.fields.map(({ field }) => field).sort()).toEqual(['.data.a', '.data.b', '.data.c']);
  });

  it('names the subresource through which the field was set', () => {
    const made = apply(deployments, undefined, deployment({}));
    const spec = { ...(made['spec'] as object), replicas: 5 };
    const live = update(deployments, made, { ...made, spec }, { manager: 'hpa', subresource: 'scale' });
    expect(refusal(() => apply(deployments, live, deployment({ replicas: 1 }))).fields[0]?.message).toBe(
      'conflict with "hpa" with subresource "scale" using apps/v1',
    );
  });

  it('is met by null, too', () => {
    expect(refusal(() => apply(deployments, scaled(), deployment({ replicas: null }))).fields).toHaveLength(
      1,
    );
  });

  it('is met by another value of a list that is one value', () => {
    const tolerations = (key: string): object => podWith({ tolerations: [{ key }] });
    const live = apply(pods, undefined, tolerations('a'), { manager: 'other' });
    expect(refusal(() => apply(pods, live, tolerations('b'))).fields[0]?.field).toBe('.spec.tolerations');
  });

  it('is not met by the same value: both own it', () => {
    const first = apply(configmaps, undefined, config({ a: '1' }));
    const both = apply(configmaps, first, config({ a: '1' }), { manager: 'other' });
    expect(owners(both)).toEqual({ capstan: ['.data.a'], other: ['.data.a'] });
    expect(refusal(() => apply(configmaps, both, config({ a: '2' }))).fields).toHaveLength(1);
  });

  it('ends with force: the field changes hands', () => {
    const forced = apply(deployments, scaled(), deployment({ replicas: 2 }), { force: true });
    expect((forced['spec'] as { replicas: number }).replicas).toBe(2);
    expect(Object.keys(owners(forced))).toEqual(['capstan']);
  });

  it('is met by what nobody tracked: that belongs to before-first-apply', () => {
    const live = { apiVersion: 'v1', kind: 'ConfigMap', ...config({ a: '1' }) } as unknown as Live;
    expect(refusal(() => apply(configmaps, live, config({ a: '2' }))).message).toContain(
      'before-first-apply',
    );
    const next = apply(configmaps, live, config({ b: '2' }));
    expect(next['data']).toEqual({ a: '1', b: '2' });
    expect(owners(next)).toEqual({ capstan: ['.data.b'], 'before-first-apply': ['.data', '.data.a'] });
  });
});

describe('names of members', () => {
  it.each(['constructor', '__proto__', 'toString'])('may be %s', (name) => {
    const data = (value: string): object =>
      JSON.parse(`{"metadata":{"name":"c"},"data":{${JSON.stringify(name)}:"${value}"}}`) as object;
    const made = apply(configmaps, undefined, data('1'));
    expect(Object.entries(made['data'] as object)).toEqual([[name, '1']]);
    expect(apply(configmaps, made, data('1'))).toBe(made);
    const next = apply(configmaps, made, data('2'));
    expect(Object.entries(next['data'] as object)).toEqual([[name, '2']]);
    expect(apply(configmaps, next, { metadata: { name: 'c' } })).not.toHaveProperty('data');
  });
});

describe('the status', () => {
  it('is applied through its own way only', () => {
    const made = apply(deployments, undefined, deployment({ replicas: 1 }));
    const status = {
      metadata: { name: 'web', labels: { x: 'y' } },
      status: { replicas: 1 },
      spec: { replicas: 9 },
    };
    const next = apply(deployments, made, status, { manager: 'ctl', subresource: 'status' });
    expect(next['status']).toEqual({ replicas: 1 });
    expect(next['spec']).toBe(made['spec']);
    expect(next.metadata.labels).toBeUndefined();
    expect(owners(next)['ctl/status']).toEqual(['.status.replicas']);
  });
});

describe('what cannot be applied', () => {
  it.each<[string, object, string]>([
    ['no manager', config({}), 'fieldManager is required'],
    ['managedFields', { metadata: { name: 'c', managedFields: [{}] } }, 'metadata.managedFields must be nil'],
    ['another kind', { kind: 'Secret', ...config({}) }, 'says kind "Secret"'],
    ['another version', { apiVersion: 'v2', ...config({}) }, 'a ConfigMap has apiVersion v1'],
    ['no metadata', { data: {} }, 'must be a ConfigMap'],
  ])('is refused: %s', (what, applied, message) => {
    const error = refusal(() =>
      apply(configmaps, undefined, applied, { manager: what === 'no manager' ? '' : 'capstan' }),
    );
    expect(error.code).toBe('BadRequest');
    expect(error.message).toContain(message);
  });

  it('carries a precondition on to who writes', () => {
    const made = apply(configmaps, undefined, config({ a: '1' }));
    const live = { ...made, metadata: { ...made.metadata, uid: 'u', resourceVersion: '7' } };
    const stale = { metadata: { name: 'c', resourceVersion: '6' }, data: { a: '1' } };
    expect(apply(configmaps, live, stale).metadata.resourceVersion).toBe('6');
    const current = { metadata: { name: 'c', resourceVersion: '7' }, data: { a: '1' } };
    expect(apply(configmaps, live, current)).toBe(live);
  });
});

describe('the encoding of owned fields', () => {
  it('sorts edges, whatever order they are applied in', () => {
    const made = apply(configmaps, undefined, config({ b: '1', a: '1', Z: '1' }));
    expect(JSON.stringify(fieldsOf(made, 'capstan'))).toBe('{"f:data":{"f:Z":{},"f:a":{},"f:b":{}}}');
  });
});
