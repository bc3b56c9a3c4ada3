// Whole requests to the API server: paths, queries, headers, bodies and patches of every form.
import { createApiHandler } from '../../../src/apiserver/handler.js';
import type { HttpHandler, HttpRequest, HttpResponse } from '../../../src/base/http.js';
import { silent } from '../../../src/base/log.js';
import { kinds } from '../../../src/resources/kinds.js';
import { setup } from '../../unit/apiserver/verbs-setup.js';
import type { TestRegistry } from '../../unit/apiserver/verbs-setup.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { jsonWords, manifests, patches } from './manifests.js';

const withBody = (line: string, type: string, body: unknown): string =>
  `${line}\ncontent-type: ${type}\nuser-agent: fuzz/1\n\n${typeof body === 'string' ? body : JSON.stringify(body)}`;

const namespaced = '/api/v1/namespaces/default';

const corpus: readonly string[] = [
  'GET /api/v1/pods?limit=5&labelSelector=app%20in%20(a,b),!c&fieldSelector=metadata.name!%3Dx\n\n',
  'GET /api/v1/pods?watch=1&resourceVersion=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan\n\n',
  'GET /apis/apps/v1/deployments?continue=eyJ2IjoxLCJydiI6MSwiYWZ0ZXIiOiJ4In0&limit=1\n\n',
  'GET /api\naccept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;q=0.5\n\n',
  'GET /api/v1/namespaces/default\naccept: application/json;as=Table;v=v1;g=meta.k8s.io\n\n',
  'GET /openapi/v3/apis/apps/v1?hash=1\n\n',
  'GET /apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/x/status\n\n',
  'GET /readyz?verbose&exclude=ping\n\n',
  `GET ${namespaced}/pods/web/log?follow=true&tailLines=1&sinceTime=2025-01-01T00:00:00Z\n\n`,
  'DELETE /api/v1/namespaces/default/configmaps?labelSelector=a%3Db&gracePeriodSeconds=0&propagationPolicy=Orphan\n\n',
  'GET /api\nauthorization: Bearer abcdef.0123456789abcdef\n\n',
  'GET /api\nauthorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln\nimpersonate-user: bob\nimpersonate-group: system:masters\n\n',
  withBody(`DELETE ${namespaced}/configmaps/c`, 'application/json', {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    preconditions: { uid: 'u', resourceVersion: '1' },
    propagationPolicy: 'Foreground',
  }),
  withBody(`PUT ${namespaced}/configmaps/settings`, 'application/json', manifests.ConfigMap),
  withBody(`PUT /apis/apps/v1/namespaces/default/deployments/web/scale`, 'application/json', {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name: 'web' },
    spec: { replicas: 3 },
  }),
  withBody(`POST ${namespaced}/pods/web/eviction`, 'application/json', {
    kind: 'Eviction',
    apiVersion: 'policy/v1',
    metadata: { name: 'web' },
  }),
  withBody(`POST ${namespaced}/pods/web/binding`, 'application/json', {
    kind: 'Binding',
    apiVersion: 'v1',
    target: { kind: 'Node', name: 'n1' },
  }),
  ...Object.values(manifests).map((manifest) =>
    withBody(`POST ${manifest.path}?fieldValidation=Strict&dryRun=All`, 'application/json', manifest),
  ),
  ...Object.values(manifests).map((manifest) =>
    withBody(`POST ${manifest.path}`, 'application/json', manifest),
  ),
  ...Object.values(manifests).map((manifest) =>
    withBody(
      `PATCH ${manifest.path}/${manifest.metadata.name}?fieldManager=fuzz&force=true`,
      'application/apply-patch+yaml',
      manifest,
    ),
  ),
  ...Object.entries(patches).flatMap(([type, list]) =>
    list.map((patch) => withBody(`PATCH ${manifests.Pod.path}/web`, type, patch)),
  ),
  withBody(
    `PATCH ${namespaced}/configmaps/y?fieldManager=fuzz`,
    'application/apply-patch+yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: y}\ndata:\n  a: !!str 1\n  <<: *m\n',
  ),
];

/** Undefined for what no HTTP parser lets through. */
const requestOf = (input: Buffer, signal: AbortSignal): HttpRequest | undefined => {
  const text = input.toString('latin1');
  const at = text.indexOf('\n\n');
  const [line = '', ...lines] = (at < 0 ? text : text.slice(0, at)).split('\n');
  const [method = '', target = ''] = line.split(' ');
  if (!/^[A-Z]+$/.test(method) || !target.startsWith('/')) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(target.split('?')[0] ?? '');
  } catch {
    return undefined;
  }
  const headers = Object.fromEntries(
    lines.map((header) => {
      const colon = header.indexOf(':');
      return [header.slice(0, colon).trim().toLowerCase(), header.slice(colon + 1).trim()] as const;
    }),
  );
  const body = at < 0 ? Buffer.alloc(0) : input.subarray(at + 2);
  return {
    method,
    path,
    target,
    query: new URLSearchParams(target.includes('?') ? target.slice(target.indexOf('?') + 1) : ''),
    headers,
    body: () => Promise.resolve(body),
    clientCertificate:
      'authorization' in headers ? undefined : { commonName: 'admin', organizations: ['system:masters'] },
    remoteAddress: '127.0.0.1',
    signal,
  };
};

const statusIn = (bytes: Buffer): string => bytes.toString('utf8').slice(0, 2000);

const read = async ({ body }: HttpResponse, end: () => void): Promise<Buffer> => {
  if (Array.isArray(body)) return Buffer.concat(body as readonly Uint8Array[]);
  const pieces: Uint8Array[] = [];
  // A watch has no end of its own: it gets a moment to say what it has to say.
  setImmediate(() => setImmediate(end));
  try {
    for await (const piece of body) pieces.push(piece);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  }
  return Buffer.concat(pieces);
};

export const requests = (): FuzzTarget => {
  let under: Promise<{ readonly registry: TestRegistry; readonly handler: HttpHandler }> | undefined;
  const open = async () => {
    const registry = await setup();
    const handler = createApiHandler({
      registry: registry.registry,
      kinds,
      clock: registry.clock,
      log: silent,
      version: '0.0.0',
    });
    return { registry, handler };
  };
  return {
    name: 'requests',
    corpus,
    words: jsonWords,
    run: async (input) => {
      under ??= open();
      const { handler } = await under;
      const end = new AbortController();
      const request = requestOf(input, end.signal);
      if (request === undefined) return;
      const response = await handler(request);
      const body = await read(response, () => end.abort());
      end.abort();
      if (response.status >= 500 && response.status !== 503 && response.status !== 504)
        throw new Error(`HTTP ${String(response.status)}: ${statusIn(body)}`);
    },
    reset: async () => {
      const open = under;
      under = undefined;
      await (await open)?.registry.close();
    },
  };
};
