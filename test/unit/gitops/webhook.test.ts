import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../src/base/http.js';
import { createWebhook } from '../../../src/gitops/webhook.js';

const body = Buffer.from('{"ref":"refs/heads/main"}');
const digest = (secret: string): string => createHmac('sha256', secret).update(body).digest('hex');

const call = async (
  headers: HttpRequest['headers'],
  secret: string | undefined = 's3cret',
  method = 'POST',
) => {
  let pokes = 0;
  const webhook = createWebhook({
    secret,
    poke: () => {
      pokes += 1;
    },
  });
  const request: HttpRequest = {
    method,
    path: '/hooks/git',
    query: new URLSearchParams(),
    headers,
    body: () => Promise.resolve(body),
    clientCertificate: undefined,
    remoteAddress: '',
    signal: new AbortController().signal,
  };
  return { status: (await webhook(request)).status, pokes };
};

describe("a forge's push hook", () => {
  it.each([
    ['GitHub', { 'x-hub-signature-256': `sha256=${digest('s3cret')}` }],
    ['Gitea', { 'x-gitea-signature': digest('s3cret') }],
    ['Forgejo', { 'x-forgejo-signature': digest('s3cret') }],
    ['GitLab', { 'x-gitlab-token': 's3cret' }],
  ])('of %s is believed when it knows the secret', async (_, headers) => {
    expect(await call(headers)).toEqual({ status: 202, pokes: 1 });
  });

  it.each([
    ['a wrong GitHub signature', { 'x-hub-signature-256': `sha256=${digest('other')}` }],
    ['a wrong Gitea signature', { 'x-gitea-signature': digest('other') }],
    ['a wrong GitLab token', { 'x-gitlab-token': 'other' }],
    ['an empty signature', { 'x-hub-signature-256': '' }],
    ['no signature', {}],
  ])('is refused with %s', async (_, headers) => {
    expect(await call(headers)).toEqual({ status: 401, pokes: 0 });
  });

  it('is refused while the cluster has no secret, and with another method', async () => {
    const webhook = { 'x-gitlab-token': 's3cret' };
    expect((await call(webhook, '')).status).toBe(401);
    expect((await call(webhook, 's3cret', 'GET')).status).toBe(405);
  });
});
