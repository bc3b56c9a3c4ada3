// POST /hooks/git: a forge says that something was pushed. What was pushed is read from the repository, never from here.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpHandler, HttpRequest, HttpResponse } from '../base/http.js';

export interface WebhookOptions {
  readonly secret: string | undefined;
  poke(): void;
}

const answer = (status: number, message: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: [new TextEncoder().encode(`${message}\n`)],
});

const same = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

/** GitHub, Gitea and Forgejo sign the body; GitLab sends the secret itself. */
export const isSigned = (headers: HttpRequest['headers'], body: Uint8Array, secret: string): boolean => {
  const digest = createHmac('sha256', secret).update(body).digest('hex');
  const github = headers['x-hub-signature-256'];
  if (github !== undefined) return same(github, `sha256=${digest}`);
  const gitea = headers['x-forgejo-signature'] ?? headers['x-gitea-signature'];
  if (gitea !== undefined) return same(gitea, digest);
  const gitlab = headers['x-gitlab-token'];
  return gitlab !== undefined && same(gitlab, secret);
};

export const createWebhook =
  ({ secret, poke }: WebhookOptions): HttpHandler =>
  async (request) => {
    if (request.method !== 'POST') return answer(405, 'push hooks are POSTed here');
    if (secret === undefined)
      return answer(
        403,
        'this cluster has no secret for push hooks: set one, and give the same to the forge',
      );
    if (!isSigned(request.headers, await request.body(), secret))
      return answer(401, 'the signature does not fit: the forge and the cluster have different secrets');
    poke();
    return answer(202, 'the repository is looked at');
  };
