// A client's request as the peer gets it, and the peer's answer as the client gets it. Pure.
import { listed } from '../../base/upgrade-answer.js';
import type { HttpRequest, HttpResponse } from '../../base/http.js';
import type { ResourceRoute } from '../routes.js';
import type { ProxyRequest, ProxyTarget } from './proxy-transport.js';

/** RFC 9110, 7.6.1: what is meant for the next hop only. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What proves who the client is to this server is nobody else's to see. */
const own = (name: string): boolean => name === 'authorization' || name.startsWith('impersonate-');

const segmentsBefore = ({ namespace }: ResourceRoute): number => (namespace === undefined ? 5 : 7);

interface Place {
  /** The path up to and with `proxy`, as it was sent. */
  readonly base: string;
  /** What follows it: '' or with a slash at its start; the query is not in it. */
  readonly rest: string;
  /** With its question mark, or ''. */
  readonly search: string;
}

export const placeOf = (target: string, route: ResourceRoute): Place => {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const parts = path.split('/');
  const count = segmentsBefore(route) + 1;
  const base = parts.slice(0, count).join('/');
  return { base, rest: path.slice(base.length), search: at < 0 ? '' : target.slice(at) };
};

const passed = (headers: HttpRequest['headers'], upgrade: boolean): Record<string, string> => {
  const named = new Set(listed(headers['connection']?.toLowerCase()));
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === 'host' || name.startsWith(':') || own(name)) continue;
    if (hopByHop.has(name) || named.has(name)) continue;
    sent[name] = value;
  }
  const protocol = headers['upgrade'];
  return upgrade && protocol !== undefined ? { ...sent, connection: 'Upgrade', upgrade: protocol } : sent;
};

const hasBody = ({ headers }: HttpRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** HTTP/2 has no transfer-encoding: there a body may follow every method that can have one. */
const mayHaveBody = (request: HttpRequest): boolean =>
  hasBody(request) ||
  (request.headers[':method'] !== undefined &&
    request.headers['content-length'] === undefined &&
    ['POST', 'PUT', 'PATCH'].includes(request.method));

export const proxiedRequest = (
  request: HttpRequest,
  target: ProxyTarget,
  { place, upgrade }: { readonly place: Place; readonly upgrade: boolean },
): ProxyRequest => {
  const { headers, method, remoteAddress } = request;
  const before = headers['x-forwarded-for'];
  const host = headers['host'] ?? headers[':authority'];
  return {
    method,
    path: `${place.rest === '' ? '/' : place.rest}${place.search}`,
    headers: {
      ...passed(headers, upgrade),
      host: target.host,
      'x-forwarded-for': before === undefined ? remoteAddress : `${before}, ${remoteAddress}`,
      'x-forwarded-proto': 'https',
      'x-forwarded-uri': `${place.base}${place.rest}`,
      ...(host === undefined ? {} : { 'x-forwarded-host': host }),
    },
    body: !upgrade && mayHaveBody(request) ? request.stream?.() : undefined,
  };
};

/** A redirect within the peer stays within the proxy. */
const movedTo = (location: string, { scheme, host }: ProxyTarget, place: Place): string => {
  let url: URL;
  try {
    url = new URL(location, `${scheme}://${host}${place.rest === '' ? '/' : place.rest}`);
  } catch {
    return location;
  }
  if (url.host !== new URL(`${scheme}://${host}`).host) return location;
  return `${place.base}${url.pathname}${url.search}${url.hash}`;
};

export const proxiedResponse = (response: HttpResponse, target: ProxyTarget, place: Place): HttpResponse => {
  const headers: Record<string, string> = {};
  const named = new Set(listed(response.headers['connection']?.toLowerCase()));
  for (const [name, value] of Object.entries(response.headers))
    if (!hopByHop.has(name) && !named.has(name))
      headers[name] = name === 'location' ? movedTo(value, target, place) : value;
  return { ...response, headers };
};
