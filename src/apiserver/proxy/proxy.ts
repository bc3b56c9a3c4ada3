// `pods/NAME/proxy`, `services/NAME/proxy` and `nodes/NAME/proxy`: the client's request goes on as it is, streams both ways
// at the pace of the slower side, and comes back with its answer.
import { ClusterError } from '../../base/errors.js';
import type { HttpRequest, HttpResponse } from '../../base/http.js';
import type { StreamAnswer } from '../node-gateway.js';
import type { Registry } from '../registry.js';
import type { Verb } from '../resource-call.js';
import type { ResourceRoute } from '../routes.js';
import { placeOf, proxiedRequest, proxiedResponse } from './proxied-request.js';
import { proxyTarget } from './proxy-target.js';
import type { ProxyTransport } from './proxy-transport.js';

export interface Proxy {
  readonly transport: ProxyTransport;
  /** In [0, 1). */
  readonly random: () => number;
}

interface Proxied {
  readonly registry: Registry;
  readonly route: ResourceRoute;
  readonly request: HttpRequest;
}

const placed = ({ route, request }: Proxied): ReturnType<typeof placeOf> =>
  placeOf(request.target ?? request.path, route);

/** Pages that name their parts relative to themselves need the slash. */
const withSlash = ({ base, search }: ReturnType<typeof placeOf>): HttpResponse => ({
  status: 301,
  headers: { location: `${base}/${search}` },
  body: [],
});

export const proxyRequest = async (proxy: Proxy, proxied: Proxied): Promise<HttpResponse> => {
  const { registry, route, request } = proxied;
  const place = placed(proxied);
  if (place.rest === '' && (request.method === 'GET' || request.method === 'HEAD')) return withSlash(place);
  const target = await proxyTarget(registry, route, proxy.random);
  const sent = proxiedRequest(request, target, { place, upgrade: false });
  return proxiedResponse(await proxy.transport.send(target, sent, request.signal), target, place);
};

export const proxyUpgrade = async (proxy: Proxy, proxied: Proxied): Promise<StreamAnswer> => {
  const { registry, route, request } = proxied;
  const place = placed(proxied);
  const target = await proxyTarget(registry, route, proxy.random);
  return proxy.transport.upgrade(
    target,
    proxiedRequest(request, target, { place, upgrade: true }),
    request.signal,
  );
};

export const isProxy = ({ group, version, subresource, name }: ResourceRoute): boolean =>
  group === '' && version === 'v1' && subresource === 'proxy' && name !== undefined;

/** Every method of a proxied object. */
export const proxyVerb =
  (proxy: Proxy): Verb =>
  ({ server, route, request }) => {
    if (!isProxy(route))
      throw new ClusterError('NotFound', 'the server could not find the requested resource');
    return proxyRequest(proxy, { registry: server.registry, route, request });
  };
