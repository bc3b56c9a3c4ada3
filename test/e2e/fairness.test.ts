// A client that floods the API server from two hundred connections slows itself: agents renew their leases in time, and
// others of its own priority are served.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/pki/authority.js';
import { startChild } from '../bench/api/child.js';
import type { Child } from '../bench/api/child.js';
import { compileInto } from '../bench/api/compile.js';
import type { Flooded } from '../bench/api/load.js';

const floodMs = 6000;
/** An agent renews every two seconds and counts as silent after six: one renewal may be late, however slow the machine. */
const inTimeMs = 4000;

let folder: string;
let port: number;
const children: Child[] = [];
const agents: Agent[] = [];

const now = Date.now();
const authority = createAuthority({ commonName: 'fairness', now, validDays: 1 });
const issue = (
  commonName: string,
  organizations: readonly string[],
  usages: readonly ('client' | 'server')[],
) =>
  issueCertificate(authority, {
    subject: { commonName, organizations },
    usages,
    addresses: ['127.0.0.1'],
    now,
    lifetime: 60 * 60 * 1000,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-fairness-'));
  const program = compileInto(join(folder, 'program'));
  await mkdir(join(folder, 'data'));
  children.push(startChild(program, 'capstan-server'), startChild(program, 'load'));
  const server = issue('kube-apiserver', [], ['server']);
  port =
    (await children[0]?.ask<number>({ dataDir: join(folder, 'data'), ca: authority.certificate, server })) ??
    0;
});
afterAll(async () => {
  for (const agent of agents) agent.destroy();
  for (const child of children) await child.stop();
  await rm(folder, { recursive: true, force: true });
});

type Ask = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<{ status: number; tookMs: number; text: string }>;

const clientOf = (commonName: string, organizations: readonly string[]): Ask => {
  const { certificate, key } = issue(commonName, organizations, ['client']);
  const agent = new Agent({
    ca: authority.certificate,
    cert: certificate,
    key,
    keepAlive: true,
    maxSockets: 1,
  });
  agents.push(agent);
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      const outgoing = httpsRequest(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          agent,
          headers: { 'content-type': 'application/json' },
          checkServerIdentity: () => undefined,
        },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, tookMs: performance.now() - began, text }),
          );
        },
      );
      outgoing.once('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
};

it('leases are renewed in time while a client floods from 200 connections', async () => {
  const node = clientOf('system:node:n1', ['system:nodes']);
  const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const lease = { metadata: { name: 'n1' }, spec: { holderIdentity: 'n1', leaseDurationSeconds: 10 } };
  const made = await node('POST', leases, lease);
  expect(made.status, made.text).toBe(201);

  const flooder = issue('bench', ['benchmarks'], ['client']);
  const endpoint = { port, ca: authority.certificate, cert: flooder.certificate, key: flooder.key };
  const flood = children[1]?.ask<Flooded>({ type: 'flood', endpoint, clients: 200, forMs: floodMs });
  await new Promise((resolve) => setTimeout(resolve, 1500));

  const other = clientOf('anna', ['people']);
  const renewals: number[] = [];
  const others: number[] = [];
  for (let n = 0; n < 15; n += 1) {
    const renewed = await node('PUT', `${leases}/n1`, {
      ...lease,
      spec: { ...lease.spec, leaseTransitions: n },
    });
    expect(renewed.status, renewed.text).toBe(200);
    renewals.push(renewed.tookMs);
    const { status, tookMs } = await other('GET', '/apis');
    expect(status, 'nobody else is told to come back later').toBe(200);
    others.push(tookMs);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const flooded = await flood;
  expect(Math.max(...renewals), `renewals took ${renewals.map(Math.round).join(', ')} ms`).toBeLessThan(
    inTimeMs,
  );
  expect(Math.max(...others), `others took ${others.map(Math.round).join(', ')} ms`).toBeLessThan(inTimeMs);
  const half = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;
  expect(half(renewals), 'the flood waits for itself, and nobody else for it').toBeLessThan(
    flooded?.p50 ?? 0,
  );
  expect(half(others)).toBeLessThan(flooded?.p50 ?? 0);
  expect(flooded?.answered, 'the flood is served too').toBeGreaterThan(100);
  expect(flooded?.refused, 'and told to slow down where its queue is full').toBeGreaterThan(0);
});
