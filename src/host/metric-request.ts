// Requests to metric servers: plain HTTP or HTTPS, bounded in time and size.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { ClusterError } from '../base/errors.js';
import type { MetricAnswer, MetricRequest, SendMetricRequest } from '../rollouts/analysis/metric-source.js';
import { connectionError } from './https-request.js';

/** No metric needs more. */
const largestAnswer = 4 * 1024 * 1024;

const textOf = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestAnswer)
      throw new ClusterError(
        'RequestEntityTooLarge',
        `the answer is larger than ${String(largestAnswer)} bytes`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

interface Exchange extends Pick<MetricRequest, 'method' | 'url' | 'headers' | 'body' | 'insecure'> {
  readonly signal: AbortSignal;
}

const exchange = ({ method, url, headers, body, insecure, signal }: Exchange): Promise<MetricAnswer> =>
  new Promise((resolve, reject) => {
    const target = new URL(url);
    if (target.protocol !== 'http:' && target.protocol !== 'https:')
      throw new ClusterError('BadRequest', `${url}: only http and https are asked`);
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(
      target,
      { method, headers: Object.fromEntries(headers), signal, rejectUnauthorized: !insecure },
      (response) => {
        textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject);
      },
    );
    request.on('error', (error) => reject(signal.aborted ? error : connectionError(error, target.origin)));
    request.end(body);
  });

const tokenOf = async (request: MetricRequest, signal: AbortSignal): Promise<string | undefined> => {
  const { oauth2, insecure } = request;
  if (oauth2 === undefined) return undefined;
  const basic = Buffer.from(
    `${encodeURIComponent(oauth2.clientId)}:${encodeURIComponent(oauth2.clientSecret)}`,
  );
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (oauth2.scopes.length > 0) form.set('scope', oauth2.scopes.join(' '));
  const { status, body } = await exchange({
    method: 'POST',
    url: oauth2.tokenUrl,
    headers: [
      ['content-type', 'application/x-www-form-urlencoded'],
      ['authorization', `Basic ${basic.toString('base64')}`],
    ],
    body: form.toString(),
    insecure,
    signal,
  });
  const token = (JSON.parse(body) as { readonly access_token?: unknown }).access_token;
  if (typeof token !== 'string')
    throw new ClusterError('Unauthorized', `${oauth2.tokenUrl} gave no token (${String(status)})`);
  return token;
};

export const sendMetricRequest: SendMetricRequest = async (request, signal) => {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const either = AbortSignal.any([signal, timeout]);
  try {
    const token = await tokenOf(request, either);
    const headers =
      token === undefined
        ? request.headers
        : [...request.headers, ['authorization', `Bearer ${token}`] as const];
    return await exchange({ ...request, headers, signal: either });
  } catch (error) {
    if (!timeout.aborted || signal.aborted) throw error;
    throw new ClusterError(
      'Timeout',
      `${new URL(request.url).origin} did not answer within ${String(request.timeoutMs / 1000)} s`,
      { cause: error },
    );
  }
};
