// Custom resources through the verbs: kinds that come, change and go with their definitions.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KindCatalog } from '../../../src/apiserver/custom/kind-catalog.js';
import { admissionPlugins } from '../../../src/apiserver/admission/plugins.js';
import { createRegistry } from '../../../src/apiserver/store-registry.js';
import type { Registry } from '../../../src/apiserver/registry.js';
import { bootstrap } from '../../../src/apiserver/bootstrap.js';
import { silent } from '../../../src/base/log.js';
import { ManualClock } from '../../../src/base/manual-clock.js';
import type { CustomResourceDefinition } from '../../../src/resources/generated/types.js';
import type { Kind } from '../../../src/resources/kind.js';
import { kinds } from '../../../src/resources/kinds.js';
import { customresourcedefinitions } from '../../../src/resources/kinds/customresourcedefinitions.js';
import type { Draft, Resource } from '../../../src/resources/resource.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import { createRandom } from '../../contract/random.js';
import { definition } from '../resources/custom/definitions.js';
import type { Parts } from '../resources/custom/definitions.js';
import { idsFrom, options, parsed, record, turn } from './verbs-setup.js';

let registry: Registry;
let catalog: KindCatalog;
let store: MvccStore;
const lifetime = new AbortController();

beforeEach(async () => {
  store = new MvccStore(new MemoryEngine());
  const clock = new ManualClock();
  catalog = new KindCatalog({
    store,
    builtIn: kinds,
    lifetime: lifetime.signal,
    convert: (_definition, objects, apiVersion) =>
      Promise.resolve(
        objects.map((object) => ({ ...object, apiVersion, spec: { from: object.apiVersion } }) as Resource),
      ),
  });
  registry = createRegistry({
    store,
    kinds: catalog,
    clock,
    ids: idsFrom(createRandom(1)),
    admission: admissionPlugins({
      store,
      serviceCidr: '10.96.0.0/16',
      lifetime: lifetime.signal,
      definitions: { builtIn: kinds, clock, refresh: (name) => catalog.refresh(name) },
    }),
    log: silent,
  });
  await bootstrap(registry, { serviceCidr: '10.96.0.0/16', apiPort: 6443 });
});

afterEach(() => store.close());

const define = async (parts: Parts): Promise<CustomResourceDefinition> => {
  const { metadata, spec } = definition(parts);
  const { object } = await registry.create(
    customresourcedefinitions,
    { metadata: { name: metadata.name }, spec } as Draft,
    options,
  );
  return object as CustomResourceDefinition;
};

const served = (version = 'v1', plural = 'gadgets'): Kind =>
  catalog.served().find((kind) => kind.plural === plural && kind.version === version)!;

const conditions = ({ status }: CustomResourceDefinition) =>
  Object.fromEntries((status?.conditions ?? []).map(({ type, status: is }) => [type, is]));

const make = (kind: Kind, spec: object, name = 'a') =>
  registry.create(kind, { metadata: { name, namespace: 'default' }, spec } as unknown as Draft, options);

const size = { properties: { size: { type: 'integer', default: 1 }, other: { type: 'string' } } };

const version = (name: string, more: object = {}) => ({
  name,
  served: true,
  storage: false,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    },
  },
  ...more,
});

describe('a definition', () => {
  it('is established as it is written, and its kind is served', async () => {
    const made = await define({ spec: size });
    expect(conditions(made)).toEqual({ NamesAccepted: 'True', Established: 'True' });
    expect(made.status).toMatchObject({
      storedVersions: ['v1'],
      acceptedNames: { singular: 'gadget', listKind: 'GadgetList' },
    });
    expect(made.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
    expect((await make(served(), {})).object).toMatchObject({
      spec: { size: 1 },
      metadata: { generation: 1 },
    });
  });

  it('whose names are taken waits for them', async () => {
    await define({ spec: size, names: { shortNames: ['g'] } });
    const second = await define({ names: { plural: 'gears', kind: 'Gear', shortNames: ['g'] } });
    expect(conditions(second)).toEqual({ NamesAccepted: 'False', Established: 'False' });
    expect(second.status?.conditions?.[0]).toMatchObject({
      reason: 'ShortNamesConflict',
      message: '"g" is already in use',
    });
    expect(served('v1', 'gears')).toBeUndefined();
  });

  it('that changes ends the watches of what it was before', async () => {
    await define({ spec: size });
    const seen = record(registry.watch(served(), {}, new AbortController().signal));
    await make(served(), {});
    await turn();
    const { spec } = definition({ spec: { ...size, required: ['other'] } });
    await registry.patch(
      customresourcedefinitions,
      { name: 'gadgets.example.com' },
      { type: 'merge', patch: { spec } },
      options,
    );
    await seen.done;
    expect(seen.items.map(({ type }) => type)).toEqual(['ADDED']);
    await expect(make(served(), {}, 'b')).rejects.toMatchObject({ code: 'Invalid' });
  });

  it('that goes takes its kind with it', async () => {
    await define({ spec: size });
    const kind = served();
    await registry.delete(customresourcedefinitions, { name: 'gadgets.example.com' }, {}, options);
    await expect(make(kind, {})).rejects.toMatchObject({ code: 'MethodNotAllowed' });
    await registry.patch(
      customresourcedefinitions,
      { name: 'gadgets.example.com' },
      { type: 'merge', patch: { metadata: { finalizers: null } } },
      options,
    );
    expect(catalog.served()).toHaveLength(kinds.length);
    await expect(registry.list(kind, {})).rejects.toMatchObject({ code: 'NotFound' });
  });
});

describe('custom resources', () => {
  it('count their generations by what their authors wrote', async () => {
    const schema = {
      type: 'object',
      properties: {
        spec: { type: 'object', ...size },
        status: { type: 'object', properties: { seen: { type: 'integer' } } },
      },
    };
    await define({
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {} },
        },
      ],
    });
    const kind = served();
    await make(kind, {});
    const name = { name: 'a', namespace: 'default' };
    const patch = (body: object, subresource?: 'status') =>
      registry.patch(kind, name, { type: 'merge', patch: body }, { ...options, subresource });
    await patch({ status: { seen: 1 } }, 'status');
    await patch({ status: { seen: 9 }, metadata: { labels: { a: 'b' } } });
    const { stored } = await patch({ spec: { size: 2 } });
    expect(stored.object).toMatchObject({
      metadata: { generation: 2 },
      spec: { size: 2 },
      status: { seen: 1 },
    });
  });

  it('are merged by the keys of their lists when they are applied', async () => {
    const list = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, value: { type: 'integer' } },
      },
    };
    await define({ spec: { properties: { list } } });
    const apply = (items: readonly object[], fieldManager: string) =>
      registry.patch(
        served(),
        { name: 'a', namespace: 'default' },
        { type: 'apply', object: { metadata: { name: 'a' }, spec: { list: items } }, force: false },
        { ...options, fieldManager },
      );
    await apply([{ name: 'x', value: 1 }], 'one');
    const { stored } = await apply([{ name: 'y', value: 2 }], 'two');
    expect(stored.object).toMatchObject({
      spec: {
        list: [
          { name: 'x', value: 1 },
          { name: 'y', value: 2 },
        ],
      },
    });
    await expect(apply([{ name: 'x', value: 5 }], 'two')).rejects.toMatchObject({ code: 'Conflict' });
  });

  it('are selected by the fields that their definition names', async () => {
    const fields = { selectableFields: [{ jsonPath: '.spec.other' }] };
    await define({
      versions: [
        {
          ...version('v1', fields),
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', ...size } } } },
        },
      ],
    });
    await make(served(), { other: 'x' }, 'a');
    await make(served(), { other: 'y' }, 'b');
    const { items } = await registry.list(served(), { fieldSelector: 'spec.other=y' });
    expect(items.map(({ object }) => object.metadata.name)).toEqual(['b']);
    await expect(registry.list(served(), { fieldSelector: 'spec.size=1' })).rejects.toMatchObject({
      code: 'BadRequest',
    });
  });
});

describe('several versions', () => {
  it('show one object each in its own form', async () => {
    await define({ versions: [version('v1beta1'), version('v1', { storage: true })] });
    const seen = record(registry.watch(served('v1beta1'), {}, new AbortController().signal));
    const made = await make(served('v1beta1'), { a: 1 });
    expect(parsed(made)).toMatchObject({ apiVersion: 'example.com/v1beta1', spec: { a: 1 } });
    expect((await registry.get(served('v1'), { name: 'a', namespace: 'default' })).object.apiVersion).toBe(
      'example.com/v1',
    );
    const { items } = await registry.list(served('v1beta1'), {});
    expect(items.map((stored) => parsed(stored).apiVersion)).toEqual(['example.com/v1beta1']);
    await registry.delete(served('v1'), { name: 'a', namespace: 'default' }, {}, options);
    await turn();
    expect(
      seen.items.map((item) =>
        item.type === 'BOOKMARK' ? '' : `${item.type} ${item.stored.object.apiVersion}`,
      ),
    ).toEqual(['ADDED example.com/v1beta1', 'DELETED example.com/v1beta1']);
  });

  it('remember every version that objects were stored in', async () => {
    const made = await define({ versions: [version('v1beta1', { storage: true }), version('v1')] });
    await make(served('v1beta1'), { a: 1 });
    const versions = [version('v1beta1'), version('v1', { storage: true })];
    const { stored } = await registry.patch(
      customresourcedefinitions,
      { name: made.metadata.name },
      { type: 'merge', patch: { spec: { versions } } },
      options,
    );
    expect((stored.object as CustomResourceDefinition).status?.storedVersions).toEqual(['v1beta1', 'v1']);
    expect((await registry.get(served('v1'), { name: 'a', namespace: 'default' })).object).toMatchObject({
      apiVersion: 'example.com/v1',
      spec: { a: 1 },
    });
  });

  it('are converted by the webhook where the definition has one, both ways', async () => {
    const conversion = {
      strategy: 'Webhook',
      webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://example.com/convert' } },
    };
    await define({ versions: [version('v1beta1'), version('v1', { storage: true })], more: { conversion } });
    const made = await make(served('v1beta1'), { a: 1 });
    expect(made.object).toMatchObject({ apiVersion: 'example.com/v1beta1', spec: { a: 1 } });
    expect((await registry.get(served('v1'), { name: 'a', namespace: 'default' })).object).toMatchObject({
      spec: { from: 'example.com/v1beta1' },
    });
    expect((await registry.get(served('v1beta1'), { name: 'a', namespace: 'default' })).object).toMatchObject(
      { spec: { from: 'example.com/v1' } },
    );
  });
});
