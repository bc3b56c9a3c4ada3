// Admission and conversion by webhooks, over real HTTPS.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Kind } from '../../src/resources/kind.js';
import { configmaps } from '../../src/resources/kinds/configmaps.js';
import { customresourcedefinitions } from '../../src/resources/kinds/customresourcedefinitions.js';
import { endpointslices } from '../../src/resources/kinds/endpointslices.js';
import { mutatingwebhookconfigurations } from '../../src/resources/kinds/mutatingwebhookconfigurations.js';
import { services } from '../../src/resources/kinds/services.js';
import { validatingwebhookconfigurations } from '../../src/resources/kinds/validatingwebhookconfigurations.js';
import { customKinds } from '../../src/resources/custom/custom-kind.js';
import type { Draft, Resource } from '../../src/resources/resource.js';
import { startApiServer } from './api-server.js';
import type { TestApiServer } from './api-server.js';
import { patchAnswer, startWebhookServer } from './webhook-server.js';
import type { WebhookServer } from './webhook-server.js';

let api: TestApiServer;
let hooks: WebhookServer;

beforeAll(async () => {
  api = await startApiServer();
});
afterAll(() => api.close());

beforeEach(async () => {
  hooks = await startWebhookServer(api.certificate);
});
afterEach(async () => {
  for (const kind of [mutatingwebhookconfigurations, validatingwebhookconfigurations] as readonly Kind[])
    for (const { metadata } of (await api.cluster.list(kind)).items)
      await api.cluster.delete(kind, { name: metadata.name });
  for (const { metadata } of (await api.cluster.list(configmaps, { namespace: 'default' })).items)
    await api.cluster.delete(configmaps, { name: metadata.name, namespace: 'default' });
  await hooks.close();
});

const bundle = (): string => Buffer.from(api.authority).toString('base64');

const webhook = (path: string, more: object = {}) => ({
  name: `${path.slice(1)}.example.com`,
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { url: hooks.url(path), caBundle: bundle() },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
  ...more,
});

const configure = (kind: Kind, webhooks: readonly object[], name = 'test') =>
  api.cluster.create(kind, { metadata: { name }, webhooks } as unknown as Draft);

let count = 0;
const make = (data: Readonly<Record<string, string>>, metadata: object = {}) => {
  count += 1;
  return api.cluster.create(configmaps, {
    metadata: { name: `map-${String(count)}`, namespace: 'default', ...metadata },
    data,
  });
};

describe('mutating webhooks', () => {
  it('change objects one after the other, and those that ask for it see the outcome', async () => {
    await configure(mutatingwebhookconfigurations, [
      webhook('/first', { reinvocationPolicy: 'IfNeeded' }),
      webhook('/second'),
    ]);
    hooks.on('/first', ({ request }) => {
      const data = request.object?.['data'] as Record<string, string>;
      return patchAnswer([
        { op: 'add', path: '/data/first', value: `saw ${Object.keys(data).sort().join('+')}` },
      ]);
    });
    hooks.on('/second', () => patchAnswer([{ op: 'add', path: '/data/second', value: 'x' }]));
    expect((await make({ a: '1' })).data).toEqual({ a: '1', first: 'saw a+first+second', second: 'x' });
    expect(hooks.seen.map(({ path }) => path)).toEqual(['/first', '/second', '/first']);
  });

  it('whose patch makes an object invalid are not let through', async () => {
    await configure(mutatingwebhookconfigurations, [webhook('/bad')]);
    hooks.on('/bad', () => patchAnswer([{ op: 'add', path: '/data/n', value: 5 }]));
    await expect(make({ a: '1' })).rejects.toMatchObject({ code: 'Invalid' });
  });
});

describe('validating webhooks', () => {
  it('are told who does what, and refuse with their own words', async () => {
    await configure(validatingwebhookconfigurations, [webhook('/judge')]);
    hooks.on('/judge', ({ request }) => {
      const bad = (request.object?.['data'] as Record<string, string> | undefined)?.['bad'] !== undefined;
      return bad
        ? { allowed: false, status: { message: 'no bad data', code: 403 } }
        : { allowed: true, warnings: ['take care'] };
    });
    await expect(make({ bad: '1' })).rejects.toMatchObject({
      code: 'Forbidden',
      message: 'admission webhook "judge.example.com" denied the request: no bad data',
    });
    const { metadata } = await make({ good: '1' });
    await api.cluster.delete(configmaps, { name: metadata.name, namespace: 'default' });
    expect(
      hooks.seen.map(({ review: { request } }) => [request.operation, request.userInfo.username]),
    ).toEqual([
      ['CREATE', 'test'],
      ['CREATE', 'test'],
      ['DELETE', 'test'],
    ]);
    expect(hooks.seen.at(-1)?.review.request).toMatchObject({
      object: null,
      oldObject: { data: { good: '1' } },
    });
  });

  it('are asked only of what their rules, selectors and conditions name', async () => {
    await configure(validatingwebhookconfigurations, [
      webhook('/judge', {
        objectSelector: { matchLabels: { strict: 'yes' } },
        matchConditions: [
          { name: 'not-skipped', expression: "!has(object.data.skip) && request.operation == 'CREATE'" },
        ],
      }),
      webhook('/elsewhere', {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'other' } },
      }),
    ]);
    hooks.on('/judge', () => ({ allowed: false }));
    await make({ a: '1' });
    await make({ skip: '1' }, { labels: { strict: 'yes' } });
    expect(hooks.seen).toEqual([]);
    await expect(make({ a: '1' }, { labels: { strict: 'yes' } })).rejects.toThrow(
      'denied the request without explanation',
    );
  });

  it('that do not answer in time fail the request, or are passed over, as their policy says', async () => {
    await configure(validatingwebhookconfigurations, [webhook('/slow', { timeoutSeconds: 1 })]);
    await expect(make({ a: '1' })).rejects.toThrow(
      /failed calling webhook "slow.example.com": .*context deadline exceeded/,
    );
    await api.cluster.delete(validatingwebhookconfigurations, { name: 'test' });
    await configure(validatingwebhookconfigurations, [
      webhook('/slow', { timeoutSeconds: 1, failurePolicy: 'Ignore' }),
    ]);
    await expect(make({ a: '1' })).resolves.toBeDefined();
  });

  it('are not trusted without the authority of their configuration', async () => {
    await configure(validatingwebhookconfigurations, [
      webhook('/judge', { clientConfig: { url: hooks.url('/judge') } }),
    ]);
    hooks.on('/judge', () => ({ allowed: true }));
    await expect(make({ a: '1' })).rejects.toThrow(/failed calling webhook/);
    expect(hooks.seen).toEqual([]);
  });

  it('stand behind Services too', async () => {
    await api.cluster.create(services, {
      metadata: { name: 'hook', namespace: 'default' },
      spec: { ports: [{ port: 443 }] },
    });
    await api.cluster.create(endpointslices, {
      metadata: { name: 'hook-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'hook' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
      ports: [{ name: '', port: hooks.port, protocol: 'TCP' }],
    });
    const clientConfig = {
      service: { name: 'hook', namespace: 'default', path: '/judge' },
      caBundle: bundle(),
    };
    await configure(validatingwebhookconfigurations, [webhook('/judge', { clientConfig })]);
    hooks.on('/judge', () => ({ allowed: false, status: { message: 'from behind a Service' } }));
    await expect(make({ a: '1' })).rejects.toThrow('from behind a Service');
  });
});

describe('conversion webhooks', () => {
  it('turn stored objects into the version that is asked for', async () => {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const definition = await api.cluster.create(customresourcedefinitions, {
      metadata: { name: 'lamps.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'lamps', kind: 'Lamp' },
        versions: [
          { name: 'v1', served: true, storage: true, schema },
          { name: 'v2', served: true, storage: false, schema },
        ],
        conversion: {
          strategy: 'Webhook',
          webhook: {
            conversionReviewVersions: ['v1'],
            clientConfig: { url: hooks.url('/convert'), caBundle: bundle() },
          },
        },
      },
    });
    hooks.on('/convert', ({ request }) => ({
      result: { status: 'Success' },
      convertedObjects: request.objects?.map((object) => {
        const { watts, power } = object['spec'] as { watts?: number; power?: string };
        const spec =
          request.desiredAPIVersion === 'example.com/v2'
            ? { power: `${String(watts)} W` }
            : { watts: parseInt(power ?? '', 10) };
        return { ...object, apiVersion: request.desiredAPIVersion, spec };
      }),
    }));
    const [v2, v1] = customKinds(definition)!.served as [Kind, Kind];
    await api.cluster.create(v2, {
      metadata: { name: 'a', namespace: 'default' },
      spec: { power: '60 W' },
    } as never);
    const spec = (object: Resource): unknown => (object as unknown as { spec: unknown }).spec;
    expect(spec(await api.cluster.get(v1, { name: 'a', namespace: 'default' }))).toEqual({ watts: 60 });
    await api.cluster.patch(
      v1,
      { name: 'a', namespace: 'default' },
      { type: 'merge', patch: { spec: { watts: 40 } } },
    );
    const { items } = await api.cluster.list(v2, { namespace: 'default' });
    expect(items.map(spec)).toEqual([{ power: '40 W' }]);
    await api.cluster.delete(customresourcedefinitions, { name: 'lamps.example.com' });
  });
});
