import { beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../../../src/apiserver/audit/audit-log.js';
import { parsePolicy } from '../../../../src/apiserver/audit/policy.js';
import { Fairness } from '../../../../src/apiserver/fairness/fairness.js';
import { createApiHandler } from '../../../../src/apiserver/handler.js';
import { silent } from '../../../../src/base/log.js';
import { turn } from '../../../../src/host/system-clock.js';
import { kinds } from '../../../../src/resources/kinds.js';
import { makeRequest } from '../front-request.js';
import type { RequestParts } from '../front-request.js';
import { setup } from '../verbs-setup.js';
import type { TestRegistry } from '../verbs-setup.js';

let under: TestRegistry;
beforeEach(async () => {
  under = await setup();
});

interface AuditEvent {
  readonly level: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: unknown;
  readonly objectRef?: unknown;
  readonly responseStatus?: { readonly code: number; readonly message?: string };
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const audited = (...rules: readonly unknown[]) => {
  const lines: string[] = [];
  const audit = new AuditLog(parsePolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }), {
    write: (line) => lines.push(line),
  });
  let tick = 0;
  const handler = createApiHandler({
    registry: under.registry,
    kinds,
    clock: under.clock,
    log: silent,
    version: '1.2.3',
    surroundings: {
      audit,
      fairness: new Fairness({ clock: under.clock, turn }),
      observers: [audit],
      ticks: () => (tick += 0.25),
      uid: () => 'an-id',
    },
  });
  return {
    lines,
    ask: (url: string, parts?: RequestParts) => handler(makeRequest(url, parts)),
    events: async (): Promise<readonly AuditEvent[]> => {
      await turn();
      return lines.map((line) => JSON.parse(line) as AuditEvent);
    },
  };
};

const json = { 'content-type': 'application/json', 'user-agent': 'kubectl/v1.31.0' };
const configMap = JSON.stringify({ metadata: { name: 'c' }, data: { colour: 'red' } });
const post = (body: string): RequestParts => ({ method: 'POST', body, headers: json });

describe('the audit log', () => {
  it('says who did what to which object, with the verdict and how long it took', async () => {
    const { ask, events } = audited({ level: 'Metadata', omitStages: ['RequestReceived'] });
    const response = await ask('/api/v1/namespaces/default/configmaps', post(configMap));
    expect(response.headers['audit-id']).toBe('an-id');
    expect(await events()).toEqual([
      {
        kind: 'Event',
        apiVersion: 'audit.k8s.io/v1',
        level: 'Metadata',
        auditID: 'an-id',
        stage: 'ResponseComplete',
        requestURI: '/api/v1/namespaces/default/configmaps',
        verb: 'create',
        user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
        sourceIPs: ['127.0.0.1'],
        userAgent: 'kubectl/v1.31.0',
        objectRef: { resource: 'configmaps', namespace: 'default', name: 'c', apiVersion: 'v1' },
        responseStatus: { metadata: {}, code: 201 },
        requestReceivedTimestamp: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/) as string,
        stageTimestamp: expect.stringMatching(/\.\d{3}250Z$/) as string,
      },
    ]);
  });

  it('has a line for each stage, and keeps the id that a client chose', async () => {
    const { ask, events } = audited({ level: 'Metadata' });
    const over = new AbortController();
    const watch = await ask('/api/v1/namespaces/default/configmaps?watch=1', {
      headers: { 'audit-id': 'mine-1' },
      signal: over.signal,
    });
    expect(watch.headers['audit-id']).toBe('mine-1');
    expect((await events()).map(({ stage }) => stage)).toEqual(['RequestReceived', 'ResponseStarted']);
    over.abort();
    expect((await events()).at(-1)).toMatchObject({
      stage: 'ResponseComplete',
      verb: 'watch',
      auditID: 'mine-1',
    });
  });

  it('records bodies as far as the level says', async () => {
    const request = audited({ level: 'Request', omitStages: ['RequestReceived'] });
    await request.ask('/api/v1/namespaces/default/configmaps', post(configMap));
    const [event] = await request.events();
    expect(event?.requestObject).toMatchObject({ data: { colour: 'red' } });
    expect(event?.responseObject).toBeUndefined();
    const both = audited({
      level: 'RequestResponse',
      omitStages: ['RequestReceived'],
      omitManagedFields: true,
    });
    await both.ask('/api/v1/namespaces/default/configmaps/c');
    const [read] = await both.events();
    expect(read?.responseObject).toMatchObject({ kind: 'ConfigMap', data: { colour: 'red' } });
    expect(JSON.stringify(read)).not.toContain('managedFields');
  });

  it('tells why a request failed', async () => {
    const { ask, events } = audited({ level: 'Metadata', omitStages: ['RequestReceived'] });
    await ask('/api/v1/namespaces/default/configmaps/none');
    await ask('/api/v1/namespaces/default/configmaps', { certificate: undefined });
    const [missing, stranger] = await events();
    expect(missing?.responseStatus).toMatchObject({
      code: 404,
      reason: 'NotFound',
      message: 'configmaps "none" not found',
    });
    expect(stranger).toMatchObject({
      user: { username: 'system:anonymous' },
      responseStatus: { code: 401, reason: 'Unauthorized' },
    });
  });

  it('holds no value of a Secret and no token, at the highest level and by whichever way they come', async () => {
    const { ask, events, lines } = audited({ level: 'RequestResponse' });
    const mark = 'bWFya2Vk';
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"a":"${mark}"}}` },
      },
      data: { a: mark },
    };
    const secrets = '/api/v1/namespaces/default/secrets';
    await ask(secrets, post(JSON.stringify(secret)));
    await ask(
      secrets,
      post(JSON.stringify({ ...secret, data: { 'not a key': mark }, stringData: { b: [mark] } })),
    );
    await ask(`${secrets}/s`);
    await ask(secrets);
    await ask(`${secrets}/s`, {
      method: 'PATCH',
      body: JSON.stringify({ data: { b: mark } }),
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    // At the wrong door, and inside something else.
    await ask('/api/v1/namespaces/default/configmaps', post(JSON.stringify(secret)));
    await ask(
      '/api/v1/namespaces/default/configmaps',
      post(JSON.stringify({ kind: 'List', items: [secret] })),
    );
    await ask(`/api/v1/namespaces/default/configmaps?token=${mark}&limit=1`);
    expect((await events()).length).toBeGreaterThan(14);
    expect(lines.join('\n')).toContain('token=<redacted>&limit=1');
    expect(lines.filter((line) => line.includes(mark))).toEqual([]);
  });
});
