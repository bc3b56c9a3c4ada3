import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiHandler } from '../../../src/apiserver/handler.js';
import type { Extension, HttpHandler } from '../../../src/base/http.js';
import { silent } from '../../../src/base/log.js';
import { kinds } from '../../../src/resources/kinds.js';
import { bytesOf, jsonOf, makeRequest } from './front-request.js';
import type { RequestParts } from './front-request.js';
import { setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const configMap = (name: string, data: Record<string, string> = {}): string =>
  JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name }, data });
const collection = '/api/v1/namespaces/default/configmaps';

let under: TestRegistry;
let handler: HttpHandler;
let failing: string | undefined;

const whoAmI: Extension = {
  prefix: '/capstan/v1',
  handle: (request, identity) =>
    Promise.resolve({ status: 200, headers: {}, body: [Buffer.from(`${identity.user} ${request.path}`)] }),
};

beforeEach(async () => {
  failing = undefined;
  under = await setup();
  handler = createApiHandler({
    registry: under.registry,
    kinds,
    clock: under.clock,
    log: silent,
    version: '1.2.3',
    extensions: [whoAmI],
    checks: [{ name: 'store', failure: () => failing }],
  });
});
afterEach(() => under.close());

const ask = (url: string, parts?: RequestParts) => handler(makeRequest(url, parts));
const create = (name: string, data?: Record<string, string>) =>
  ask(collection, {
    method: 'POST',
    body: configMap(name, data),
    headers: { 'content-type': 'application/json' },
  });

describe('without a certificate', () => {
  it.each(['/api', '/apis', '/api/v1/pods', '/openapi/v2', '/capstan/v1/plan', '/nothing', '/'])(
    '%s is 401 and nothing else',
    async (path) => {
      const response = await ask(path, { certificate: undefined });
      expect(response.status).toBe(401);
      expect(await jsonOf(response)).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
    },
  );

  it.each(['/healthz', '/livez', '/readyz', '/version'])('%s is open', async (path) => {
    expect((await ask(path, { certificate: undefined })).status).toBe(200);
  });

  it('one of another authority is refused with the reason', async () => {
    const response = await ask('/api', { certificate: undefined, certificateError: 'it has expired' });
    expect((await jsonOf(response))['message']).toContain(
      'the client certificate was not accepted (it has expired)',
    );
  });
});

describe('health', () => {
  it('names the check that fails, and liveness does not depend on it', async () => {
    failing = 'the disk is full';
    const ready = await ask('/readyz');
    expect(ready.status).toBe(503);
    expect((await bytesOf(ready)).toString()).toBe(
      '[+]ping ok\n[-]store failed: the disk is full\nreadyz check failed\n',
    );
    expect((await ask('/livez')).status).toBe(200);
    expect((await ask('/readyz?exclude=store')).status).toBe(200);
    expect((await ask('/readyz/store')).status).toBe(503);
    expect((await ask('/readyz/other')).status).toBe(404);
  });
});

describe('discovery', () => {
  it('lists kinds with verbs, short names and the kinds that subresources answer with', async () => {
    const { resources } = (await jsonOf(await ask('/apis/apps/v1'))) as { resources: { name: string }[] };
    const named = (name: string) => resources.find((resource) => resource.name === name);
    expect(named('deployments')).toMatchObject({
      singularName: 'deployment',
      shortNames: ['deploy'],
      kind: 'Deployment',
      namespaced: true,
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    });
    expect(named('deployments/scale')).toMatchObject({ group: 'autoscaling', version: 'v1', kind: 'Scale' });
  });

  it('lists no subresource that is not served', async () => {
    const { resources } = (await jsonOf(await ask('/api/v1'))) as { resources: { name: string }[] };
    const names = resources.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['pods/status', 'pods/binding', 'pods/eviction']));
    for (const name of names.filter((item) => item.startsWith('pods/'))) {
      const response = await ask(`/api/v1/namespaces/default/${name.replace('/', '/web/')}`, {
        method: 'DELETE',
      });
      expect(response.status, name).toBe(405);
    }
    // Without a gateway to the nodes there are no logs.
    expect(names.filter((name) => /exec|attach|portforward|proxy|log/.test(name))).toEqual([]);
    expect((await ask('/api/v1/namespaces/default/pods/web/exec')).status).toBe(404);
  });

  it('fits into two documents for clients that know the aggregated form', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const core = await ask('/api', { headers: { accept } });
    expect(core.headers['content-type']).toBe(
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    );
    const groups = (await jsonOf(await ask('/apis', { headers: { accept } })))['items'] as {
      metadata: { name: string };
    }[];
    expect(groups.map(({ metadata }) => metadata.name)).toContain('apps');
    const { items } = (await jsonOf(core)) as {
      items: [
        { versions: [{ resources: { resource: string; subresources?: { subresource: string }[] }[] }] },
      ];
    };
    const found = items[0].versions[0].resources.find(({ resource }) => resource === 'pods');
    expect(found?.subresources).toContainEqual({
      subresource: 'eviction',
      responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      verbs: ['create'],
    });
  });
});

describe('OpenAPI', () => {
  it('is indexed by the hash of each document, which clients then keep for good', async () => {
    const { paths } = (await jsonOf(await ask('/openapi/v3'))) as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    const url = paths['apis/apps/v1']?.serverRelativeURL ?? '';
    const document = await ask(url);
    expect(document.headers['cache-control']).toContain('immutable');
    expect(await jsonOf(document)).toMatchObject({
      openapi: '3.0.0',
      components: { schemas: { 'io.k8s.api.apps.v1.Deployment': {} } },
    });
    const again = await ask(url, { headers: { 'if-none-match': document.headers['etag'] ?? '' } });
    expect([again.status, (await bytesOf(again)).length]).toEqual([304, 0]);
    expect((await ask('/openapi/v3/apis/apps/v1')).headers['cache-control']).toBe('no-cache, private');
    expect((await ask('/openapi/v3/apis/robots/v1')).status).toBe(404);
  });

  it('in version 2 is protobuf of a type that Go can parse', async () => {
    const document = await ask('/openapi/v2', {
      headers: {
        accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
        'accept-encoding': 'gzip',
      },
    });
    expect(document.headers).toMatchObject({
      'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
      'content-encoding': 'gzip',
    });
    expect(gunzipSync(await bytesOf(document)).equals(await bytesOf(await ask('/openapi/v2')))).toBe(true);
  });
});

describe('an object', () => {
  it('is created, read, replaced and deleted', async () => {
    const created = await create('settings', { a: '1' });
    expect(created.status).toBe(201);
    const object = await jsonOf(created);
    expect(object).toMatchObject({ metadata: { name: 'settings', namespace: 'default' }, data: { a: '1' } });
    expect(await jsonOf(await ask(`${collection}/settings`))).toEqual(object);
    const replaced = await ask(`${collection}/settings`, {
      method: 'PUT',
      body: JSON.stringify({ ...object, data: { a: '2' } }),
    });
    expect(replaced.status).toBe(200);
    const deleted = await ask(`${collection}/settings`, { method: 'DELETE' });
    expect(await jsonOf(deleted)).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'settings', kind: 'configmaps', uid: (object['metadata'] as { uid: string }).uid },
    });
    expect((await ask(`${collection}/settings`)).status).toBe(404);
  });

  it.each([
    [
      'another name',
      { metadata: { name: 'b' } },
      `${collection}/a`,
      'PUT',
      /does not match the name on the URL/,
    ],
    [
      'another namespace',
      { metadata: { name: 'a', namespace: 'x' } },
      collection,
      'POST',
      /namespace of the provided object/,
    ],
    [
      'another kind',
      { kind: 'Pod', metadata: { name: 'a' } },
      collection,
      'POST',
      /the kind in the data \(Pod\)/,
    ],
    [
      'another version',
      { apiVersion: 'v2', metadata: { name: 'a' } },
      collection,
      'POST',
      /API version in the data \(v2\)/,
    ],
    ['metadata that is no object', { metadata: 'a' }, collection, 'POST', /metadata must be an object/],
  ])('with %s than its URL is refused', async (_what, body, url, method, message) => {
    const response = await ask(url, { method, body: JSON.stringify(body) });
    expect(response.status).toBe(400);
    expect((await jsonOf(response))['message']).toMatch(message);
  });

  it('that names a field twice is refused when strict, and warned of otherwise', async () => {
    const body = '{"metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}';
    const strict = await ask(`${collection}?fieldValidation=Strict`, { method: 'POST', body });
    expect((await jsonOf(strict))['message']).toBe('strict decoding error: duplicate field "data.a"');
    const warned = await ask(collection, { method: 'POST', body });
    expect(warned.status).toBe(201);
    expect(warned.headers['warning']).toBe('299 - "duplicate field \\"data.a\\""');
  });

  it.each([
    ['POST', '/api/v1/configmaps', 405],
    ['DELETE', '/api/v1/configmaps', 405],
    ['PATCH', collection, 405],
    ['POST', `${collection}/a`, 405],
    ['GET', '/api/v1/namespaces/default/nodes', 404],
    ['GET', '/api/v1/configmaps/a', 404],
    ['GET', '/api/v1/namespaces/default/robots', 404],
    ['POST', '/version', 405],
  ])('%s %s is %i', async (method, path, status) => {
    expect((await ask(path, { method })).status).toBe(status);
  });

  it('is patched by the type of the patch, and refuses others', async () => {
    await create('settings', { a: '1' });
    const patch = (type: string, body: unknown) =>
      ask(`${collection}/settings`, {
        method: 'PATCH',
        body: JSON.stringify(body),
        headers: { 'content-type': type },
      });
    expect(await jsonOf(await patch('application/merge-patch+json', { data: { b: '2' } }))).toMatchObject({
      data: { a: '1', b: '2' },
    });
    const operations = [{ op: 'remove', path: '/data/a' }];
    expect((await jsonOf(await patch('application/json-patch+json', operations)))['data']).toEqual({
      b: '2',
    });
    expect((await patch('application/json-patch+json', { op: 'remove' })).status).toBe(400);
    expect((await patch('application/json', {})).status).toBe(415);
    const apply = await patch('application/apply-patch+yaml', { data: {} });
    expect(apply.status).toBe(422);
    expect((await jsonOf(apply))['message']).toContain(
      'fieldManager: Required value: is required for apply patch',
    );
  });
});

describe('a scale', () => {
  const url = '/apis/apps/v1/namespaces/default/deployments';
  const deployment = {
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'web:1' }] },
      },
    },
  };

  it('is read, replaced and patched as a Scale', async () => {
    await ask(url, { method: 'POST', body: JSON.stringify(deployment) });
    const scale = await jsonOf(await ask(`${url}/web/scale`));
    expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 1 } });
    const put = await ask(`${url}/web/scale`, {
      method: 'PUT',
      body: JSON.stringify({ ...scale, spec: { replicas: 3 } }),
    });
    expect(await jsonOf(put)).toMatchObject({ kind: 'Scale', spec: { replicas: 3 } });
    const patched = await ask(`${url}/web/scale`, {
      method: 'PATCH',
      body: '{"spec":{"replicas":5}}',
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(await jsonOf(patched)).toMatchObject({ kind: 'Scale', spec: { replicas: 5 } });
    expect(await jsonOf(await ask(`${url}/web`))).toMatchObject({
      kind: 'Deployment',
      spec: { replicas: 5 },
    });
  });
});

describe('a list', () => {
  it('is one valid JSON document of the objects’ own bytes, in each form', async () => {
    for (const name of ['a', 'b']) await create(name);
    const plain = await jsonOf(await ask(collection));
    expect(plain).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
    const names = (value: unknown) =>
      (value as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
    expect(names(plain['items'])).toEqual(['a', 'b']);
    const accept = (as: string) => ({ headers: { accept: `application/json;as=${as};g=meta.k8s.io;v=v1` } });
    const metadata = await jsonOf(await ask(collection, accept('PartialObjectMetadataList')));
    expect(metadata['kind']).toBe('PartialObjectMetadataList');
    expect(names(metadata['items'])).toEqual(['a', 'b']);
    expect(await jsonOf(await ask(collection, accept('Table')))).toMatchObject({
      kind: 'Table',
      rows: [{}, {}],
    });
    expect((await ask(`${collection}?limit=1`, accept('Table'))).status).toBe(200);
  });

  it('is compressed when it is large and the client takes gzip', async () => {
    await create('large', { text: 'x'.repeat(200_000) });
    const small = await ask('/api/v1/namespaces', { headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers['content-encoding']).toBeUndefined();
    const large = await ask(collection, { headers: { 'accept-encoding': 'gzip' } });
    expect(large.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(await bytesOf(large)).equals(await bytesOf(await ask(collection)))).toBe(true);
  });
});

describe('a watch', () => {
  it('ends after timeoutSeconds of the server’s clock', async () => {
    await create('a');
    const response = await ask(`${collection}?watch=true&timeoutSeconds=5&resourceVersion=0`);
    const body = bytesOf(response);
    await under.clock.advance(5000);
    expect(JSON.parse((await body).toString().split('\n')[0] ?? '')).toMatchObject({
      type: 'ADDED',
      object: { metadata: { name: 'a' } },
    });
  });

  it('that cannot begin has its own HTTP code', async () => {
    expect((await ask(`${collection}?watch=true&labelSelector=a%20in`)).status).toBe(400);
    expect((await ask(`${collection}?watch=true&timeoutSeconds=soon`)).status).toBe(400);
  });

  it('of one object sees only that one', async () => {
    const controller = new AbortController();
    await create('a');
    await create('b');
    const response = await ask(`${collection}/b?watch=1`, { signal: controller.signal });
    const [first] = await Promise.all([
      (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().next(),
    ]);
    expect(Buffer.from(first.value as Uint8Array).toString()).toContain('"name":"b"');
    controller.abort();
  });
});

describe('an extension', () => {
  it('gets the requests under its prefix, with who asks', async () => {
    expect((await bytesOf(await ask('/capstan/v1/plan'))).toString()).toBe('admin /capstan/v1/plan');
    expect((await ask('/capstan/v10')).status).toBe(404);
  });
});
