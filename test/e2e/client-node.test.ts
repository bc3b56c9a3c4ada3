// The official JavaScript client against the API server: typed and generic clients, patches, informers and watches.
/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment, @typescript-eslint/no-misused-spread --
   the client's models are data without behaviour: whoever uses it writes them as literals */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AppsV1Api,
  AutoscalingV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  EventsV1Api,
  KubeConfig,
  KubernetesObjectApi,
  loadAllYaml,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from '@kubernetes/client-node';
import type { KubernetesObject, V1ConfigMap } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer } from './api-server.js';
import type { TestApiServer } from './api-server.js';
import { checkout, eventually } from './command.js';

const namespace = 'default';

let server: TestApiServer;
let config: KubeConfig;
let core: CoreV1Api;

beforeAll(async () => {
  server = await startApiServer();
  config = new KubeConfig();
  config.loadFromFile(server.kubeconfig);
  core = config.makeApiClient(CoreV1Api);
});
afterAll(async () => {
  await server.close();
});

const makeMap = (name: string, data: Record<string, string>, labels: Record<string, string> = {}) =>
  core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels }, data } });

const codeOf = async (call: Promise<unknown>): Promise<number> => {
  try {
    await call;
  } catch (error) {
    return (error as { readonly code: number }).code;
  }
  return 200;
};

describe('the generic client', () => {
  it('creates, reads, patches, replaces, lists and deletes every kind of a chart', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const chart = loadAllYaml(
      readFileSync(join(checkout, 'test/e2e/every-kind.yaml'), 'utf8'),
    ) as KubernetesObject[];
    const own = chart.map((object) => ({ ...object, metadata: { namespace, name: '', ...object.metadata } }));
    for (const object of own) {
      const made = await objects.create(object);
      expect(made.metadata.uid, object.kind).toBeDefined();
      const read = await objects.read(object);
      expect(read.metadata?.uid).toBe(made.metadata.uid);
      const labelled = await objects.patch(
        { ...object, metadata: { ...object.metadata, labels: { patched: 'yes' } } },
        ...([undefined, undefined, undefined, undefined] as const),
        PatchStrategy.MergePatch,
      );
      expect(labelled.metadata.labels).toMatchObject({ patched: 'yes' });
      const replaced = await objects.replace({ ...labelled });
      expect(replaced.metadata.resourceVersion, 'nothing changed').toBe(labelled.metadata.resourceVersion);
    }
    for (const object of own) await objects.delete(object);
  });
});

describe('the typed clients', () => {
  it('answer conflicts, absence and what is there already with their codes', async () => {
    const made = await makeMap('codes', { a: '1' });
    expect(await codeOf(makeMap('codes', {}))).toBe(409);
    expect(await codeOf(core.readNamespacedConfigMap({ name: 'none', namespace }))).toBe(404);
    await core.replaceNamespacedConfigMap({ name: 'codes', namespace, body: { ...made, data: { a: '2' } } });
    const stale = { ...made, data: { a: '3' } };
    expect(await codeOf(core.replaceNamespacedConfigMap({ name: 'codes', namespace, body: stale }))).toBe(
      409,
    );
    const uid = { preconditions: { uid: 'another' } };
    expect(await codeOf(core.deleteNamespacedConfigMap({ name: 'codes', namespace, body: uid }))).toBe(409);
    expect(await codeOf(core.deleteNamespacedConfigMap({ name: 'codes', namespace }))).toBe(200);
  });

  it('apply server-side, and meet conflicts', async () => {
    const apply = (fieldManager: string, value: string, force = false) =>
      core.patchNamespacedConfigMap(
        {
          name: 'applied',
          namespace,
          fieldManager,
          ...(force ? { force } : {}),
          body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { a: value } },
        },
        setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
      );
    expect((await apply('one', '1')).data).toEqual({ a: '1' });
    expect(await codeOf(apply('two', '2'))).toBe(409);
    const forced = await apply('two', '2', true);
    expect(forced.metadata?.managedFields?.map(({ manager }) => manager)).toEqual(['two']);
  });

  it('patch with JSON and strategic merge patches, and scale', async () => {
    const apps = config.makeApiClient(AppsV1Api);
    const labels = { app: 'scaled' };
    await apps.createNamespacedStatefulSet({
      namespace,
      body: {
        metadata: { name: 'scaled' },
        spec: {
          serviceName: 'scaled',
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }] } },
        },
      },
    });
    const name = 'scaled';
    await apps.patchNamespacedStatefulSetScale(
      { name, namespace, body: [{ op: 'replace', path: '/spec/replicas', value: 4 }] },
      setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
    );
    const scale = await apps.readNamespacedStatefulSetScale({ name, namespace });
    expect([scale.spec?.replicas, scale.status?.selector]).toEqual([4, 'app=scaled']);
    const patched = await apps.patchNamespacedStatefulSet(
      {
        name,
        namespace,
        body: { spec: { template: { spec: { containers: [{ name: 'd', image: 'y' }] } } } },
      },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    );
    expect(patched.spec?.template.spec?.containers.map((container) => container.name)).toEqual(['d', 'c']);
    expect(patched.metadata?.generation).toBe(3);
  });

  it('read one autoscaler in both versions, and events under both names', async () => {
    const body = {
      metadata: { name: 'auto' },
      spec: { maxReplicas: 3, scaleTargetRef: { kind: 'StatefulSet', name: 'x' } },
    };
    await config.makeApiClient(AutoscalingV1Api).createNamespacedHorizontalPodAutoscaler({ namespace, body });
    const newer = await config
      .makeApiClient(AutoscalingV2Api)
      .readNamespacedHorizontalPodAutoscaler({ name: 'auto', namespace });
    expect(newer.spec?.metrics?.[0]?.resource?.target.averageUtilization).toBe(80);
    await core.createNamespacedEvent({
      namespace,
      body: {
        metadata: { name: 'happened' },
        involvedObject: { namespace, name: 'x' },
        message: 'it happened',
      },
    });
    const events = await config.makeApiClient(EventsV1Api).listNamespacedEvent({ namespace });
    expect(events.items.map(({ note }) => note)).toContain('it happened');
  });

  it('list in pages that show one revision', async () => {
    await Promise.all(
      [1, 2, 3, 4, 5].map((number) => makeMap(`page-${String(number)}`, {}, { paged: 'yes' })),
    );
    const names: string[] = [];
    let next: string | undefined;
    do {
      const page = await core.listNamespacedConfigMap({
        namespace,
        labelSelector: 'paged=yes',
        limit: 2,
        ...(next === undefined ? {} : { _continue: next }),
      });
      names.push(...page.items.map(({ metadata }) => metadata?.name ?? ''));
      next = page.metadata?._continue;
      if (names.length === 2) await core.deleteNamespacedConfigMap({ name: 'page-4', namespace });
    } while (next !== undefined && next !== '');
    expect(names).toEqual(['page-1', 'page-2', 'page-3', 'page-4', 'page-5']);
  });
});

describe('an informer', () => {
  it('sees what is there, what comes, changes, leaves its selection and goes, each once', async () => {
    await makeMap('seen-first', { n: '1' }, { seen: 'yes' });
    const informer = makeInformer<V1ConfigMap>(
      config,
      `/api/v1/namespaces/${namespace}/configmaps`,
      () => core.listNamespacedConfigMap({ namespace, labelSelector: 'seen=yes' }),
      'seen=yes',
    );
    const seen: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const)
      informer.on(verb, ({ metadata, data }) =>
        seen.push(`${verb} ${metadata?.name ?? ''} ${data?.['n'] ?? ''}`),
      );
    await informer.start();
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    await makeMap('seen-second', { n: '1' }, { seen: 'yes' });
    await makeMap('unseen', { n: '1' });
    await core.patchNamespacedConfigMap(
      { name: 'seen-second', namespace, body: { data: { n: '2' } } },
      merge,
    );
    const leaves = { metadata: { labels: { seen: 'no' } } };
    await core.patchNamespacedConfigMap({ name: 'seen-first', namespace, body: leaves }, merge);
    await core.deleteNamespacedConfigMap({ name: 'seen-second', namespace });
    await eventually(
      () => Promise.resolve(seen),
      (events) => events.length >= 5,
    );
    await informer.stop();
    expect(seen).toEqual([
      'add seen-first 1',
      'add seen-second 1',
      'update seen-second 2',
      'delete seen-first 1',
      'delete seen-second 2',
    ]);
  });
});

describe('a watch', () => {
  const watched = async (
    query: Record<string, unknown>,
    enough: number,
  ): Promise<readonly [string, string][]> => {
    const events: [string, string][] = [];
    const abort = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      query as never,
      (type: string, object: V1ConfigMap & { code?: number }) => {
        events.push([type, object.metadata?.name ?? String(object.code ?? '')]);
      },
      () => undefined,
    );
    await eventually(
      () => Promise.resolve(events),
      (list) => list.length >= enough,
    );
    abort.abort();
    return events;
  };

  it('resumes behind the revision of a list without a gap', async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    await makeMap('resumed-1', {});
    await makeMap('resumed-2', {});
    await core.deleteNamespacedConfigMap({ name: 'resumed-1', namespace });
    expect(await watched({ resourceVersion: metadata?.resourceVersion }, 3)).toEqual([
      ['ADDED', 'resumed-1'],
      ['ADDED', 'resumed-2'],
      ['DELETED', 'resumed-1'],
    ]);
  });

  it('lists by watching, and marks the end of the list', async () => {
    const query = {
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: true,
      labelSelector: 'paged=yes',
    };
    const events = await watched(query, 5);
    expect(events.slice(0, 5).map(([type]) => type)).toEqual([
      'ADDED',
      'ADDED',
      'ADDED',
      'ADDED',
      'BOOKMARK',
    ]);
  });
});
