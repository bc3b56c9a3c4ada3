// A request as the TLS layer would hand it to the API server.
import type { HttpRequest, HttpResponse } from '../../../src/base/http.js';

export interface RequestParts {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly certificate?: HttpRequest['clientCertificate'];
  readonly certificateError?: string;
  readonly signal?: AbortSignal;
}

const admin = { commonName: 'admin', organizations: ['system:masters'] };

export const makeRequest = (url: string, parts: RequestParts = {}): HttpRequest => {
  const [path = '', search = ''] = url.split('?');
  const body = typeof parts.body === 'string' ? new TextEncoder().encode(parts.body) : parts.body;
  return {
    method: parts.method ?? 'GET',
    path,
    target: url,
    query: new URLSearchParams(search),
    headers: parts.headers ?? {},
    body: () => Promise.resolve(body ?? new Uint8Array()),
    clientCertificate: 'certificate' in parts ? parts.certificate : admin,
    clientCertificateError: parts.certificateError,
    remoteAddress: '127.0.0.1',
    signal: parts.signal ?? new AbortController().signal,
  };
};

export const bytesOf = async ({ body }: HttpResponse): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
};

export const jsonOf = async (response: HttpResponse): Promise<Record<string, unknown>> =>
  JSON.parse((await bytesOf(response)).toString()) as Record<string, unknown>;
