// What stands before an agent's own endpoints: the API server alone may ask, since it has asked who may; and `/metrics`.
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { HttpHandler, HttpRequest, HttpResponse } from '../base/http.js';
import { agentClientName } from './identities.js';

const forbidden: HttpResponse = {
  status: 403,
  headers: { 'content-type': 'text/plain' },
  body: [Buffer.from('only the API server may ask an agent: ask it for nodes/NAME/proxy or pods/NAME/log\n')],
};

/** Whether anyone may know, and whether the handler itself refuses who comes without a certificate. */
const open = ({ path, clientCertificate }: HttpRequest): boolean =>
  path === '/healthz' || clientCertificate === undefined;

/** `others`: figures of the parts of the node, served beside the process's own. */
export const agentEndpoints = (handler: HttpHandler, others: readonly Registry[] = []): HttpHandler => {
  const own = new Registry();
  collectDefaultMetrics({ register: own });
  const registry = Registry.merge([own, ...others]);
  return async (request) => {
    if (open(request)) return handler(request);
    if (request.clientCertificate?.commonName !== agentClientName) return forbidden;
    if (request.path !== '/metrics' || request.method !== 'GET') return handler(request);
    const body = [Buffer.from(await registry.metrics())];
    return { status: 200, headers: { 'content-type': registry.contentType }, body };
  };
};
