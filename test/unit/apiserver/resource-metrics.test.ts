import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiHandler } from '../../../src/apiserver/handler.js';
import { UsageReader } from '../../../src/apiserver/resource-metrics/usage-reader.js';
import { ClusterError } from '../../../src/base/errors.js';
import type { HttpHandler } from '../../../src/base/http.js';
import { silent } from '../../../src/base/log.js';
import type { Node, Pod } from '../../../src/resources/generated/types.js';
import { kinds } from '../../../src/resources/kinds.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import type { Draft } from '../../../src/resources/resource.js';
import type { UsageSummary } from '../../../src/resources/usage-summary.js';
import { jsonOf, makeRequest } from './front-request.js';
import type { RequestParts } from './front-request.js';
import { options, setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const api = '/apis/metrics.k8s.io/v1beta1';
const time = '2026-01-01T00:00:00Z';
const usage = (cores: number | undefined, bytes: number) => ({
  cpu: {
    time,
    usageCoreNanoSeconds: 1,
    ...(cores === undefined ? {} : { usageNanoCores: cores * 1e9, windowMs: 15_000 }),
  },
  memory: { time, workingSetBytes: bytes },
});

let under: TestRegistry;
let handler: HttpHandler;
let asked: string[];
let silentNodes: ReadonlySet<string>;
let measured: Map<string, UsageSummary['pods']>;

const addNode = async (name: string, ready = 'True'): Promise<void> => {
  const node: Draft<Node> = { metadata: { name, labels: { zone: name } } };
  await under.registry.create(nodes, node, options);
  const status: Node['status'] = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    conditions: [{ type: 'Ready', status: ready }],
  };
  await under.registry.update(nodes, { name }, { ...node, status } as Draft, {
    ...options,
    subresource: 'status',
  });
};

const addPod = async (name: string, node: string, cores: readonly (number | undefined)[]): Promise<void> => {
  const draft: Draft<Pod> = {
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { nodeName: node, containers: [{ name: 'c', image: 'x' }] },
  };
  const { object } = await under.registry.create(pods, draft, options);
  await under.registry.update(
    pods,
    { name, namespace: 'default' },
    { ...draft, status: { phase: 'Running' } } as Draft,
    { ...options, subresource: 'status' },
  );
  const containers = cores.map((used, index) => ({ name: `c${String(index)}`, ...usage(used, 2048 * 1024) }));
  const podRef = { name, namespace: 'default', uid: object.metadata.uid };
  measured.set(node, [...(measured.get(node) ?? []), { podRef, containers }]);
};

beforeEach(async () => {
  asked = [];
  silentNodes = new Set();
  measured = new Map();
  under = await setup();
  const { registry, clock } = under;
  const meter = {
    usage: ({ name }: { readonly name: string }): Promise<UsageSummary> => {
      asked.push(name);
      return silentNodes.has(name)
        ? Promise.reject(new ClusterError('ServiceUnavailable', 'nothing listens there'))
        : Promise.resolve({
            node: { nodeName: name, ...usage(1.5, 2 ** 30) },
            pods: measured.get(name) ?? [],
          });
    },
  };
  const reader = new UsageReader({ registry, meter, clock, log: silent });
  handler = createApiHandler({ registry, kinds, clock, log: silent, version: '1', usage: reader });
});
afterEach(() => under.close());

const ask = async (url: string, parts?: RequestParts) => {
  const response = await handler(makeRequest(url, parts));
  return { status: response.status, body: await jsonOf(response) };
};
const names = ({ body }: { readonly body: Record<string, unknown> }): readonly string[] =>
  (body['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

describe('metrics of nodes', () => {
  it('are what their agents say, as metrics-server shows it', async () => {
    await addNode('n1');
    const { status, body } = await ask(`${api}/nodes`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: 'NodeMetricsList',
      apiVersion: 'metrics.k8s.io/v1beta1',
      items: [
        {
          kind: 'NodeMetrics',
          metadata: { name: 'n1', labels: { zone: 'n1' } },
          timestamp: time,
          window: '15s',
          usage: { cpu: '1500000000n', memory: '1048576Ki' },
        },
      ],
    });
  });

  it('leave out nodes that are not ready and nodes that do not answer', async () => {
    await addNode('n1');
    await addNode('n2', 'False');
    await addNode('n3');
    silentNodes = new Set(['n3']);
    expect(names(await ask(`${api}/nodes`))).toEqual(['n1']);
    expect(asked).toEqual(['n1', 'n3']);
    expect((await ask(`${api}/nodes/n3`)).status).toBe(404);
    expect((await ask(`${api}/nodes/none`)).status).toBe(404);
  });

  it('are asked for once in five seconds, whoever wants to know', async () => {
    await addNode('n1');
    await Promise.all([ask(`${api}/nodes`), ask(`${api}/nodes/n1`)]);
    expect(asked).toEqual(['n1']);
    await under.clock.advance(6_000);
    await ask(`${api}/nodes`);
    expect(asked).toEqual(['n1', 'n1']);
  });
});

describe('metrics of pods', () => {
  beforeEach(async () => {
    await addNode('n1');
    await addPod('web', 'n1', [0.25, 0.5]);
    await addPod('db', 'n1', [1]);
    await addPod('young', 'n1', [undefined]);
  });

  it('show each container, and no pod that was measured once only', async () => {
    const found = await ask(`${api}/namespaces/default/pods`);
    expect(names(found)).toEqual(['db', 'web']);
    expect(found.body['items']).toMatchObject([
      { containers: [{ name: 'c0', usage: { cpu: '1000000000n', memory: '2048Ki' } }] },
      { containers: [{ usage: { cpu: '250000000n' } }, { usage: { cpu: '500000000n' } }] },
    ]);
  });

  it('are found over all namespaces, by labels and by fields', async () => {
    expect(names(await ask(`${api}/pods`))).toEqual(['db', 'web']);
    expect(names(await ask(`${api}/pods?labelSelector=app%3Dweb`))).toEqual(['web']);
    expect(names(await ask(`${api}/namespaces/default/pods?fieldSelector=metadata.name%3Ddb`))).toEqual([
      'db',
    ]);
    expect(names(await ask(`${api}/namespaces/other/pods`))).toEqual([]);
    expect((await ask(`${api}/namespaces/default/pods/web`)).body).toMatchObject({ kind: 'PodMetrics' });
  });

  it('are shown as a table', async () => {
    const { body } = await ask(`${api}/namespaces/default/pods/web`, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(body['rows']).toMatchObject([{ cells: ['web', '750m', '4096Ki', '15s'] }]);
  });
});

describe('the metrics API', () => {
  it('is in discovery, for reading only', async () => {
    const { body } = await ask(api);
    expect(body['resources']).toMatchObject([
      { name: 'nodes', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
      { name: 'pods', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
    ]);
  });

  it.each([
    ['POST', `${api}/nodes`, 405],
    ['DELETE', `${api}/nodes/n1`, 405],
    ['POST', `${api}/pods`, 404],
    ['GET', `${api}/pods/web`, 404],
    ['GET', `${api}/namespaces/default/nodes`, 404],
    ['GET', `${api}/nodes/n1/status`, 404],
  ])('answers %s %s with %s', async (method, url, status) => {
    expect((await ask(url, { method })).status).toBe(status);
  });
});
