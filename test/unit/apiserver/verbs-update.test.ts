import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterError } from '../../../src/base/errors.js';
import type { ConfigMap, Deployment, Namespace } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { services } from '../../../src/resources/kinds/services.js';
import type { Draft } from '../../../src/resources/resource.js';
import { options, parsed, setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const name = { name: 'a', namespace: 'default' };
const web = { name: 'web', namespace: 'default' };

const failure = async (promise: Promise<unknown>): Promise<ClusterError> =>
  (await promise.then(
    () => expect.unreachable('it should have been refused'),
    (error: unknown) => error,
  )) as ClusterError;

describe('update', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup();
  });

  afterEach(() => test.close());

  const makeMap = async (data: Record<string, string> = {}): Promise<ConfigMap> =>
    (await test.registry.create(configmaps, { metadata: name, data } as Draft, options)).object;

  const makeWeb = async (): Promise<Deployment> => {
    const draft: Draft<Deployment> = {
      metadata: web,
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'main', image: 'web:1' }] },
        },
      },
    };
    return (await test.registry.create(deployments, draft, options)).object as Deployment;
  };

  it('writes nothing when nothing changes', async () => {
    const made = await makeMap({ a: '1' });
    const before = test.store.revision;
    const again = await test.registry.update(
      configmaps,
      name,
      { ...made, data: { a: '1' } } as Draft,
      options,
    );
    expect(again.object.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect(test.store.revision).toBe(before);
  });

  it('goes through without a revision, whoever wrote in between', async () => {
    await makeMap();
    const writers = Array.from({ length: 20 }, (_, index) =>
      test.registry.update(
        configmaps,
        name,
        { metadata: name, data: { n: String(index) } } as Draft,
        options,
      ),
    );
    const written = await Promise.all(writers);
    const versions = written.map(({ object }) => object.metadata.resourceVersion);
    expect(new Set(versions).size).toBe(20);
  });

  it('refuses one of two writers that read the same revision', async () => {
    const made = await makeMap();
    const outcomes = await Promise.allSettled(
      ['x', 'y'].map((value) =>
        test.registry.update(configmaps, name, { ...made, data: { value } } as Draft, options),
      ),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('refuses the object of another life', async () => {
    await makeMap();
    const other = { metadata: { ...name, uid: 'another' } };
    const error = await failure(test.registry.update(configmaps, name, other, options));
    expect(error.code).toBe('Conflict');
    expect(error.message).toContain('Precondition failed: UID in precondition: another');
  });

  it('refuses an object whose name or namespace is not that of the request', async () => {
    await makeMap();
    const renamed = { metadata: { ...name, name: 'b' } };
    expect((await failure(test.registry.update(configmaps, name, renamed, options))).message).toBe(
      'the name of the object (b) does not match the name on the URL (a)',
    );
    const moved = { metadata: { ...name, namespace: 'kube-system' } };
    expect((await failure(test.registry.update(configmaps, name, moved, options))).message).toBe(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  });

  it('says that what is not there cannot be updated', async () => {
    const error = await failure(test.registry.update(configmaps, name, { metadata: name }, options));
    expect(error.message).toBe('configmaps "a" not found');
  });

  it('keeps what the server owns', async () => {
    const made = await makeWeb();
    const metadata = { ...made.metadata, creationTimestamp: '2001-01-01T00:00:00Z', generation: 40 };
    const { object } = await test.registry.update(
      deployments,
      web,
      { ...made, metadata: { ...metadata, labels: { a: 'b' } } },
      options,
    );
    expect(object.metadata).toMatchObject({
      creationTimestamp: made.metadata.creationTimestamp,
      generation: 1,
      labels: { a: 'b' },
    });
  });

  it('counts a generation for the spec, not for metadata or status', async () => {
    const made = await makeWeb();
    const scaled = { ...made, spec: { ...made.spec, replicas: 5 } } as Draft;
    const second = (await test.registry.update(deployments, web, scaled, options)).object as Deployment;
    expect(second.metadata.generation).toBe(2);
    const labelled = { ...second, metadata: { ...second.metadata, labels: { x: 'y' } } } as Draft;
    const third = (await test.registry.update(deployments, web, labelled, options)).object as Deployment;
    expect(third.metadata.generation).toBe(2);
    const status = { ...options, subresource: 'status' } as const;
    const reported = { ...third, status: { replicas: 5 } } as Draft;
    const fourth = (await test.registry.update(deployments, web, reported, status)).object as Deployment;
    expect(fourth.metadata.generation).toBe(2);
    expect(fourth.status?.replicas).toBe(5);
  });

  it('takes nothing but the status through status', async () => {
    const made = await makeWeb();
    const sent = {
      ...made,
      metadata: { ...made.metadata, labels: { sneaked: 'in' } },
      spec: { ...made.spec, replicas: 9 },
      status: { replicas: 2 },
    } as Draft;
    const { object } = await test.registry.update(deployments, web, sent, {
      ...options,
      subresource: 'status',
    });
    expect(object.metadata.labels).toBeUndefined();
    expect((object as Deployment).spec.replicas).toBe(1);
    expect((object as Deployment).status?.replicas).toBe(2);
  });

  it('refuses a subresource that the kind does not have', async () => {
    const made = await makeMap();
    const error = await failure(
      test.registry.update(configmaps, name, made, { ...options, subresource: 'status' }),
    );
    expect(error.code).toBe('BadRequest');
  });

  it('takes no new finalizers once the object is being deleted', async () => {
    await test.registry.create(configmaps, { metadata: { ...name, finalizers: ['example.com/a'] } }, options);
    await test.registry.delete(configmaps, name, {}, options);
    const more = { metadata: { ...name, finalizers: ['example.com/a', 'example.com/b'] } };
    const error = await failure(test.registry.update(configmaps, name, more, options));
    expect(error.message).toContain('no new finalizers can be added if the object is being deleted');
  });

  it('removes the object with the last finalizer', async () => {
    await test.registry.create(
      configmaps,
      { metadata: { ...name, finalizers: ['example.com/a', 'example.com/b'] } },
      options,
    );
    await test.registry.delete(configmaps, name, {}, options);
    await test.registry.update(
      configmaps,
      name,
      { metadata: { ...name, finalizers: ['example.com/b'] } },
      options,
    );
    await expect(test.registry.get(configmaps, name)).resolves.toBeDefined();
    await test.registry.update(configmaps, name, { metadata: name }, options);
    expect((await failure(test.registry.get(configmaps, name))).code).toBe('NotFound');
  });

  it('lets the namespace controller finish a namespace through finalize', async () => {
    await test.registry.create(namespaces, { metadata: { name: 'shop' } }, options);
    await test.registry.delete(namespaces, { name: 'shop' }, {}, options);
    const ending = (await test.registry.get(namespaces, { name: 'shop' })).object as Namespace;
    expect(ending.spec.finalizers).toEqual(['kubernetes']);
    const finished = { ...ending, spec: { finalizers: [] } } as Draft;
    await test.registry.update(namespaces, { name: 'shop' }, finished, {
      ...options,
      subresource: 'finalize',
    });
    expect((await failure(test.registry.get(namespaces, { name: 'shop' }))).code).toBe('NotFound');
  });

  it('reads and writes replicas as a Scale', async () => {
    await makeWeb();
    const scale = await test.registry.get(deployments, web, 'scale');
    expect(parsed(scale)).toMatchObject({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 1 },
      status: { replicas: 0, selector: 'app=web' },
    });
    const up = { metadata: web, spec: { replicas: 3 } } as Draft;
    await test.registry.update(deployments, web, up, { ...options, subresource: 'scale' });
    const { object } = await test.registry.get(deployments, web);
    expect((object as Deployment).spec.replicas).toBe(3);
    expect(object.metadata.generation).toBe(2);
    const down = { metadata: web, spec: { replicas: -1 } } as Draft;
    const error = await failure(
      test.registry.update(deployments, web, down, { ...options, subresource: 'scale' }),
    );
    expect(error.message).toBe(
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
  });

  it('keeps the addresses of a Service that is replaced without them', async () => {
    const draft = {
      metadata: name,
      spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80 }] },
    } as Draft;
    const made = parsed(await test.registry.create(services, draft, options));
    const replaced = parsed(await test.registry.update(services, name, draft, options));
    expect(replaced).toEqual(made);
  });

  it('shows in a dry run what it would write', async () => {
    const made = await makeMap({ a: '1' });
    const dry = { ...options, dryRun: true };
    const { object } = await test.registry.update(
      configmaps,
      name,
      { ...made, data: { a: '2' } } as Draft,
      dry,
    );
    expect((object as ConfigMap).data).toEqual({ a: '2' });
    expect(((await test.registry.get(configmaps, name)).object as ConfigMap).data).toEqual({ a: '1' });
  });
});
