// HTTP for isomorphic-git: with a certificate authority of one's own, redirects, a time limit and cancellation.
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git';
import { ClusterError } from '../../base/errors.js';

export interface HttpClientOptions {
  /** PEM of the authority that signed the server's certificate, beside those that everyone trusts. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** Of silence, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

const gather = async (body: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  if (body !== undefined) for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const send = (
  url: URL,
  options: { readonly method: string; readonly headers: Record<string, string>; readonly body: Buffer },
  client: HttpClientOptions,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestSecure : requestPlain)(
      url,
      {
        method: options.method,
        headers: { ...options.headers, 'content-length': String(options.body.length) },
        signal: client.signal,
        timeout: client.timeoutMs ?? 30_000,
        ...(client.ca === undefined ? {} : { ca: client.ca }),
      },
      resolve,
    );
    request.on('timeout', () => {
      request.destroy(new ClusterError('ServiceUnavailable', `${url.origin} said nothing for too long`));
    });
    request.on('error', reject);
    request.end(options.body);
  });

const headersOf = (response: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export const httpClient = (client: HttpClientOptions): HttpClient => ({
  request: async ({ url, method = 'GET', headers = {}, body }: GitHttpRequest): Promise<GitHttpResponse> => {
    const content = await gather(body);
    let target = new URL(url);
    let sent = headers;
    for (let hops = 0; hops < 5; hops += 1) {
      const response = await send(target, { method, headers: sent, body: content }, client);
      const { location } = response.headers;
      if (!redirects.has(response.statusCode ?? 0) || location === undefined)
        return {
          url: target.href,
          method,
          headers: headersOf(response),
          statusCode: response.statusCode ?? 0,
          statusMessage: response.statusMessage ?? '',
          body: response[Symbol.asyncIterator]() as AsyncIterableIterator<Uint8Array>,
        };
      response.resume();
      const next = new URL(location, target);
      // Credentials are for the host that they were given for.
      if (next.host !== target.host)
        sent = Object.fromEntries(
          Object.entries(sent).filter(([name]) => name.toLowerCase() !== 'authorization'),
        );
      target = next;
    }
    throw new ClusterError('ServiceUnavailable', `${url} redirects in a circle`);
  },
});
