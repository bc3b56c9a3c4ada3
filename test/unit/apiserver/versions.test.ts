import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiHandler } from '../../../src/apiserver/handler.js';
import type { HttpHandler } from '../../../src/base/http.js';
import { silent } from '../../../src/base/log.js';
import { kinds } from '../../../src/resources/kinds.js';
import { storedKinds } from '../../../src/resources/kind-source.js';
import { jsonOf, makeRequest } from './front-request.js';
import { setup } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const autoscalers = (version: string): string =>
  `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
const scaleTargetRef = { kind: 'Deployment', name: 'web' };
const newer = '/apis/events.k8s.io/v1/namespaces/default/events';
const older = '/api/v1/namespaces/default/events';

let under: TestRegistry;
let handler: HttpHandler;
beforeEach(async () => {
  under = await setup();
  const { registry, clock } = under;
  handler = createApiHandler({ registry, kinds, clock, log: silent, version: '1' });
});
afterEach(() => under.close());

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly items?: readonly Record<string, unknown>[] };
}

const ask = async (
  method: string,
  url: string,
  body?: unknown,
  type = 'application/json',
): Promise<Answer> => {
  const response = await handler(
    makeRequest(url, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } }),
    }),
  );
  return { status: response.status, body: await jsonOf(response) };
};

const createV1 = (spec: object = {}) =>
  ask('POST', autoscalers('v1'), {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web' },
    spec: { scaleTargetRef, maxReplicas: 5, ...spec },
  });

describe('an autoscaler', () => {
  it('written in version 1 is read in version 2, with the defaults of both', async () => {
    const created = await createV1();
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { minReplicas: 1, targetCPUUtilizationPercentage: 80 },
    });
    expect((await ask('GET', `${autoscalers('v2')}/web`)).body).toMatchObject({
      apiVersion: 'autoscaling/v2',
      metadata: { uid: (created.body['metadata'] as { uid: string }).uid },
      spec: {
        metrics: [{ resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
      },
    });
  });

  it('is judged by the rules of version 2', async () => {
    const { status, body } = await createV1({ minReplicas: 9 });
    expect(status).toBe(422);
    expect(body['message']).toContain('must be greater than or equal to `minReplicas`');
  });

  it('keeps in version 1 what only version 2 has fields for', async () => {
    await createV1();
    const behavior = { scaleDown: { selectPolicy: 'Disabled' } };
    await ask('PATCH', `${autoscalers('v2')}/web`, { spec: { behavior } }, 'application/merge-patch+json');
    const patched = await ask(
      'PATCH',
      `${autoscalers('v1')}/web`,
      { spec: { targetCPUUtilizationPercentage: 40 } },
      'application/merge-patch+json',
    );
    expect(patched.status).toBe(200);
    expect((await ask('GET', `${autoscalers('v2')}/web`)).body).toMatchObject({
      spec: { behavior, metrics: [{ resource: { target: { averageUtilization: 40 } } }] },
    });
  });

  it('is applied, listed, watched and deleted in either version', async () => {
    const applied = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: { scaleTargetRef, maxReplicas: 7 },
    };
    const type = 'application/apply-patch+yaml';
    expect((await ask('PATCH', `${autoscalers('v1')}/web?fieldManager=m`, applied, type)).status).toBe(201);
    const again = await ask('PATCH', `${autoscalers('v1')}/web?fieldManager=m`, applied, type);
    expect(again.status).toBe(200);
    for (const version of ['v1', 'v2']) {
      const { body } = await ask('GET', autoscalers(version));
      expect(body['apiVersion']).toBe(`autoscaling/${version}`);
      expect(body.items).toMatchObject([{ apiVersion: `autoscaling/${version}`, spec: { maxReplicas: 7 } }]);
    }
    expect((await ask('DELETE', `${autoscalers('v1')}/web`)).status).toBe(200);
    expect((await ask('GET', `${autoscalers('v2')}/web`)).status).toBe(404);
  });

  it('is one resource: whoever follows kinds sees it once', () => {
    const names = storedKinds(kinds).filter(
      ({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'Event',
    );
    expect(names.map(({ group, version }) => `${group}/${version}`).sort()).toEqual([
      '/v1',
      'autoscaling/v2',
    ]);
  });

  it('is preferred in its newer version', async () => {
    expect((await ask('GET', '/apis/autoscaling')).body).toMatchObject({
      preferredVersion: { version: 'v2' },
      versions: [{ version: 'v2' }, { version: 'v1' }],
    });
  });
});

const event = (name: string): object => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name, namespace: 'default' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  regarding: { kind: 'Pod', name, namespace: 'default' },
  reportingController: 'example.com/scheduler',
  reportingInstance: 's-1',
  action: 'Binding',
  reason: 'Scheduled',
  note: 'it fits',
  type: 'Normal',
});

describe('an event', () => {
  it('written in the newer version is read in the older one', async () => {
    expect((await ask('POST', newer, event('web'))).status).toBe(201);
    expect((await ask('GET', `${older}/web`)).body).toMatchObject({
      apiVersion: 'v1',
      involvedObject: { kind: 'Pod', name: 'web' },
      message: 'it fits',
      reportingComponent: 'example.com/scheduler',
    });
  });

  it('written in the older version is listed in the newer one, and found by its fields', async () => {
    const make = (name: string) =>
      ask('POST', older, {
        metadata: { name },
        involvedObject: { kind: 'Pod', name, namespace: 'default' },
        message: `about ${name}`,
        source: { component: 'kubelet' },
        count: 2,
      });
    await make('web');
    await make('db');
    const { body } = await ask('GET', `${newer}?fieldSelector=regarding.name%3Ddb`);
    expect(body.items).toMatchObject([
      { note: 'about db', deprecatedCount: 2, deprecatedSource: { component: 'kubelet' } },
    ]);
  });

  it('of the newer version has all that it needs, and changes in its series only', async () => {
    const lacking = await ask('POST', newer, {
      ...event('web'),
      type: 'Odd',
      action: '',
      deprecatedCount: 3,
    });
    expect(lacking.status).toBe(422);
    for (const part of [
      'action: Required value',
      'has invalid value: Odd',
      'count: Invalid value: "": needs to be unset',
    ])
      expect(lacking.body['message']).toContain(part);
    await ask('POST', newer, event('web'));
    const merge = 'application/merge-patch+json';
    expect((await ask('PATCH', `${newer}/web`, { note: 'other' }, merge)).status).toBe(422);
    const series = { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' };
    expect((await ask('PATCH', `${newer}/web`, { series }, merge)).body).toMatchObject({ series });
    expect((await ask('GET', `${older}/web`)).body).toMatchObject({ series });
  });
});
