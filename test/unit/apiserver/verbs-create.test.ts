import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterError } from '../../../src/base/errors.js';
import { freeze } from '../../../src/base/json.js';
import type { ConfigMap, Deployment, Pod } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import type { Draft } from '../../../src/resources/resource.js';
import { options, parsed, setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const web: Draft<Deployment> = {
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'web:1' }] },
    },
  },
};

const map = (metadata: Draft['metadata']): Draft<ConfigMap> => ({
  metadata: { name: 'a', namespace: 'default', ...metadata },
});

const failure = async (promise: Promise<unknown>): Promise<ClusterError> =>
  (await promise.then(
    () => expect.unreachable('it should have been refused'),
    (error: unknown) => error,
  )) as ClusterError;

describe('create', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup();
  });

  afterEach(() => test.close());

  it('sets what the server owns and ignores what the client says about it', async () => {
    const { object } = await test.registry.create(
      deployments,
      {
        ...web,
        metadata: {
          ...web.metadata,
          uid: 'mine',
          creationTimestamp: '2000-01-01T00:00:00Z',
          deletionTimestamp: '2000-01-01T00:00:00Z',
          generation: 77,
        },
      },
      options,
    );
    expect(object.metadata).toMatchObject({ generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' });
    expect(object.metadata.uid).toMatch(/^00000000-/);
    expect(object.metadata.deletionTimestamp).toBeUndefined();
    expect(object.metadata.resourceVersion).toBe(String(test.store.revision));
  });

  it('leaves the status to whoever runs the object', async () => {
    const { object } = await test.registry.create(
      deployments,
      { ...web, status: { replicas: 5 } } as Draft,
      options,
    );
    expect((object as Deployment).status?.replicas).toBeUndefined();
  });

  it('fills in the defaults of the kind', async () => {
    const { object } = await test.registry.create(deployments, web, options);
    expect((object as Deployment).spec).toMatchObject({ replicas: 1, strategy: { type: 'RollingUpdate' } });
  });

  it('hands out an object that equals what a later read decodes, and bytes that parse to the same', async () => {
    const made = await test.registry.create(deployments, web, options);
    const bytes = parsed(made);
    expect(bytes).toEqual(JSON.parse(JSON.stringify(made.object)));
    expect(bytes.metadata.resourceVersion).toBe(made.object.metadata.resourceVersion);
    expect(Object.keys(bytes).slice(0, 3)).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(Object.isFrozen((made.object as Deployment).spec.template)).toBe(true);
  });

  it('does not change the draft that it was given', async () => {
    const draft = structuredClone(web);
    await test.registry.create(deployments, draft, options);
    expect(draft).toEqual(web);
    const frozen = freeze(structuredClone({ ...web, metadata: { ...web.metadata, name: 'frozen' } }));
    await expect(test.registry.create(deployments, frozen, options)).resolves.toBeDefined();
  });

  it('generates another name when the generated one is taken', async () => {
    const taken = (await test.registry.create(configmaps, map({ name: '', generateName: 'x-' }), options))
      .object;
    const again = await setup();
    // The same seed gives the same first suffix, which is taken by then.
    await again.registry.create(configmaps, map({ name: taken.metadata.name }), options);
    const { object } = await again.registry.create(
      configmaps,
      map({ name: '', generateName: 'x-' }),
      options,
    );
    expect(object.metadata.name).not.toBe(taken.metadata.name);
    expect(object.metadata).toMatchObject({ generateName: 'x-' });
    await again.close();
  });

  it('cuts a long base so that the generated name still fits', async () => {
    const base = 'b'.repeat(80);
    const { object } = await test.registry.create(configmaps, map({ name: '', generateName: base }), options);
    expect(object.metadata.name).toHaveLength(63);
  });

  it('asks for a name', async () => {
    const error = await failure(test.registry.create(configmaps, map({ name: '' }), options));
    expect(error.message).toBe(
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    );
  });

  it('puts an object without a namespace into default, and drops the namespace of a cluster-scoped one', async () => {
    const { object } = await test.registry.create(configmaps, { metadata: { name: 'a' } }, options);
    expect(object.metadata.namespace).toBe('default');
    const made = await test.registry.create(
      namespaces,
      { metadata: { name: 'shop', namespace: 'default' } },
      options,
    );
    expect(made.object.metadata.namespace).toBeUndefined();
  });

  it('refuses an object of another kind, and one that claims a revision', async () => {
    const foreign = await failure(test.registry.create(configmaps, { ...map({}), kind: 'Secret' }, options));
    expect(foreign).toMatchObject({ code: 'BadRequest' });
    expect(foreign.message).toContain('Secret');
    const old = await failure(test.registry.create(configmaps, map({ resourceVersion: '7' }), options));
    expect(old.message).toBe('resourceVersion should not be set on objects to be created');
  });

  it('warns of unknown fields, refuses them when strict, and never stores them', async () => {
    const draft = { ...web, spec: { ...web.spec, replica: 3 } } as unknown as Draft;
    const warnings: string[] = [];
    const warn = (message: string): number => warnings.push(message);
    const { object } = await test.registry.create(deployments, draft, { ...options, warn });
    expect(warnings).toEqual(['unknown field "spec.replica"']);
    expect((object as Deployment).spec).not.toHaveProperty('replica');
    const strict = { ...options, fieldValidation: 'Strict' } as const;
    const error = await failure(test.registry.create(deployments, draft, strict));
    expect(error.message).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"',
    );
    const silently = { ...options, fieldValidation: 'Ignore', warn } as const;
    await test.registry.delete(deployments, { name: 'web', namespace: 'default' }, {}, options);
    await test.registry.create(deployments, draft, silently);
    expect(warnings).toHaveLength(1);
  });

  it.each([
    [{ labels: { 'a b': 'x' } }, 'metadata.labels: Invalid value: "a b"'],
    [{ labels: { a: 'x y' } }, 'metadata.labels: Invalid value: "x y"'],
    [{ annotations: { a: 'x'.repeat(256 * 1024) } }, 'metadata.annotations: Too long'],
    [{ finalizers: ['hold'] }, 'metadata.finalizers[0]: Invalid value: "hold": name is neither'],
    [{ name: 'a/b' }, 'metadata.name: Invalid value: "a/b"'],
    [
      { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] },
      'metadata.ownerReferences[0].uid: Required value',
    ],
    [
      {
        ownerReferences: ['p', 'q'].map((name) => ({
          apiVersion: 'v1',
          kind: 'Pod',
          name,
          uid: name,
          controller: true,
        })),
      },
      'Found "true" in references for p and q',
    ],
  ])('refuses metadata %j', async (metadata, message) => {
    const error = await failure(test.registry.create(configmaps, map(metadata), options));
    expect(error.code).toBe('Invalid');
    expect(error.message).toContain(message);
  });

  it('names the kind, the group and every cause of what is invalid', async () => {
    const draft: Draft<Deployment> = { metadata: { name: 'web', namespace: 'default' } };
    const error = await failure(test.registry.create(deployments, draft, options));
    expect(error.message).toBe('Deployment.apps "web" is invalid: spec: Required value');
    expect(error.subject).toEqual({ group: 'apps', kind: 'Deployment', name: 'web' });
    const two = await failure(
      test.registry.create(configmaps, map({ labels: { 'a b': 'x', 'c d': 'x' } }), options),
    );
    expect(two.message).toMatch(/^ConfigMap "a" is invalid: \[metadata\.labels: .*, metadata\.labels: /);
  });

  it('refuses an object over the size limit and names both sizes', async () => {
    const env = [{ name: 'BIG', value: 'x'.repeat(1.5 * 1024 * 1024) }];
    const spec = { containers: [{ name: 'main', image: 'web:1', env }] };
    const error = await failure(test.registry.create(pods, { ...podDraft, spec } as Draft, options));
    expect(error.code).toBe('RequestEntityTooLarge');
    expect(error.message).toContain('1572864');
  });

  it('lets one of many creators of a name win', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => test.registry.create(configmaps, map({}), options)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'AlreadyExists' });
  });

  it('shows in a dry run what it would make, or why it would not', async () => {
    const before = test.store.revision;
    const dry = { ...options, dryRun: true };
    const { object } = await test.registry.create(pods, { ...podDraft }, dry);
    expect((object as Pod).spec.serviceAccountName).toBe('default');
    expect(test.store.revision).toBe(before);
    await test.registry.create(pods, podDraft, options);
    expect((await failure(test.registry.create(pods, podDraft, dry))).code).toBe('AlreadyExists');
  });
});

const podDraft: Draft<Pod> = {
  metadata: { name: 'p', namespace: 'default' },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
};
