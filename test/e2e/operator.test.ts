/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the client takes plain objects, as its users write them */
// An operator as people write them on the official JavaScript client: a kind of its own, a watch, objects that its
// object owns, a status, and a finalizer that lets go only when its work is undone.
import {
  CustomObjectsApi,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  ApiextensionsV1Api,
} from '@kubernetes/client-node';
import type { KubernetesObject } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../contract/git-fixtures.js';
import { startApiServer } from './api-server.js';
import type { TestApiServer } from './api-server.js';

interface Greeting extends KubernetesObject {
  readonly spec: { readonly text: string };
  readonly status?: { readonly written?: string };
}

const group = 'example.com';
const where = { group, version: 'v1', namespace: 'default', plural: 'greetings' };
const finalizer = 'example.com/farewell';

let api: TestApiServer;
const config = new KubeConfig();

beforeAll(async () => {
  api = await startApiServer();
  config.loadFromFile(api.kubeconfig);
});
afterAll(() => api.close());

/** Returns what ends it. */
const startOperator = async (farewells: string[]): Promise<() => Promise<void>> => {
  const custom = config.makeApiClient(CustomObjectsApi);
  const core = config.makeApiClient(CoreV1Api);
  const reconcile = async (greeting: Greeting): Promise<void> => {
    const { name = '', uid = '', finalizers = [], deletionTimestamp } = greeting.metadata ?? {};
    const patch = (finalizersNow: readonly string[]) =>
      custom.patchNamespacedCustomObject({
        ...where,
        name,
        body: [{ op: 'add', path: '/metadata/finalizers', value: finalizersNow }],
      });
    if (deletionTimestamp !== undefined) {
      if (!finalizers.includes(finalizer)) return;
      farewells.push(name);
      await patch(finalizers.filter((one) => one !== finalizer));
      return;
    }
    if (!finalizers.includes(finalizer)) {
      await patch([...finalizers, finalizer]);
      return;
    }
    if (greeting.status?.written === greeting.spec.text) return;
    const ownerReferences = [
      { apiVersion: `${group}/v1`, kind: 'Greeting', name, uid, controller: true, blockOwnerDeletion: true },
    ];
    const body = { metadata: { name, ownerReferences }, data: { text: greeting.spec.text } };
    await core
      .createNamespacedConfigMap({ namespace: 'default', body })
      .catch(() => core.replaceNamespacedConfigMap({ namespace: 'default', name, body }));
    const current = (await custom.getNamespacedCustomObject({ ...where, name })) as Greeting;
    await custom.replaceNamespacedCustomObjectStatus({
      ...where,
      name,
      body: { ...current, status: { written: greeting.spec.text } },
    });
  };
  const list = () =>
    custom.listNamespacedCustomObject(where) as Promise<{ items: Greeting[] } & KubernetesObject>;
  const informer = makeInformer<Greeting>(config, `/apis/${group}/v1/namespaces/default/greetings`, list);
  const handle = (greeting: Greeting): void => {
    // What conflicts is decided again with the next event.
    reconcile(greeting).catch(() => undefined);
  };
  informer.on('add', handle);
  informer.on('update', handle);
  await informer.start();
  return () => informer.stop();
};

describe('an operator', () => {
  it('keeps what its objects ask for, and undoes it before they go', async () => {
    const schema = {
      type: 'object',
      properties: {
        spec: { type: 'object', required: ['text'], properties: { text: { type: 'string', minLength: 2 } } },
        status: { type: 'object', properties: { written: { type: 'string' } } },
      },
    };
    await config.makeApiClient(ApiextensionsV1Api).createCustomResourceDefinition({
      body: {
        metadata: { name: 'greetings.example.com' },
        spec: {
          group,
          scope: 'Namespaced',
          names: { plural: 'greetings', kind: 'Greeting' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: schema },
              subresources: { status: {} },
            },
          ],
        },
      },
    });
    const custom = config.makeApiClient(CustomObjectsApi);
    const core = config.makeApiClient(CoreV1Api);
    const farewells: string[] = [];
    const stop = await startOperator(farewells);
    try {
      const body = (text: string) => ({
        apiVersion: `${group}/v1`,
        kind: 'Greeting',
        metadata: { name: 'hello' },
        spec: { text },
      });
      await expect(custom.createNamespacedCustomObject({ ...where, body: body('x') })).rejects.toThrow(
        /should be at least 2 chars long/,
      );
      await custom.createNamespacedCustomObject({ ...where, body: body('good morning') });
      const read = () => custom.getNamespacedCustomObject({ ...where, name: 'hello' }) as Promise<Greeting>;
      await eventually(async () => expect((await read()).status).toEqual({ written: 'good morning' }));
      await custom.patchNamespacedCustomObject({
        ...where,
        name: 'hello',
        body: [{ op: 'replace', path: '/spec/text', value: 'good night' }],
      });
      await eventually(async () => {
        const { data } = await core.readNamespacedConfigMap({ namespace: 'default', name: 'hello' });
        expect(data).toEqual({ text: 'good night' });
      });
      await custom.deleteNamespacedCustomObject({ ...where, name: 'hello' });
      await eventually(async () => await expect(read()).rejects.toThrow());
      await eventually(
        async () =>
          await expect(
            core.readNamespacedConfigMap({ namespace: 'default', name: 'hello' }),
          ).rejects.toThrow(),
      );
      expect(farewells).toEqual(['hello']);
    } finally {
      await stop();
    }
  });
});
