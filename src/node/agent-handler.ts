// What an agent answers over HTTPS: logs of containers, its pods, what they consume, its health. Only to clients that the cluster signed.
import { ClusterError, hasCode, messageOf } from '../base/errors.js';
import { fromTimestamp } from '../base/clock.js';
import type { HttpHandler, HttpRequest, HttpResponse } from '../base/http.js';
import { byAttempt } from './back-off.js';
import { containerNameOf, kindOf } from './labels.js';
import type { NodeContext } from './node-context.js';
import type { Container, LogOptions } from './runtime.js';
import type { UsageMeter } from './usage-meter.js';

type LogsContext = Pick<NodeContext, 'runtime' | 'source' | 'table' | 'clock'> & {
  readonly usage: Pick<UsageMeter, 'summary'>;
};

const text = (status: number, message: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain' },
  body: [Buffer.from(`${message}\n`)],
});

const whole = (query: URLSearchParams, name: string): number | undefined => {
  const given = query.get(name);
  if (given === null || given === '') return undefined;
  const parsed = Number(given);
  if (!Number.isInteger(parsed) || parsed < 0)
    throw new ClusterError('BadRequest', `${name} must be a whole number, not ${given}`);
  return parsed;
};

const sinceOf = (query: URLSearchParams, now: number): number | undefined => {
  const ago = whole(query, 'sinceSeconds');
  if (ago !== undefined) return now - ago * 1000;
  const given = query.get('sinceTime') ?? '';
  if (given === '') return undefined;
  const since = fromTimestamp(given);
  if (since === undefined) throw new ClusterError('BadRequest', `sinceTime must be a time, not ${given}`);
  return since;
};

const logOptions = (query: URLSearchParams, now: number): LogOptions => ({
  follow: query.get('follow') === 'true',
  timestamps: query.get('timestamps') === 'true',
  tail: whole(query, 'tailLines'),
  since: sinceOf(query, now),
  limitBytes: whole(query, 'limitBytes'),
});

/** What has run, newest first; the newest itself, or with `previous` the end before it. */
const chosen = (history: readonly Container[], previous: boolean): Container | undefined => {
  const ran = history.filter(({ state }) => state !== 'created');
  if (!previous) return ran[0];
  return ran[0]?.state === 'running'
    ? ran.slice(1).find(({ state }) => state === 'exited')
    : (ran[1] ?? ran[0]);
};

const findContainer = (
  { source, table }: LogsContext,
  {
    namespace,
    pod,
    container,
  }: { readonly namespace: string; readonly pod: string; readonly container: string },
  previous: boolean,
): Container => {
  const object = source.pod({ namespace, name: pod });
  if (object === undefined) throw new ClusterError('NotFound', `pod "${pod}" is not on this node`);
  const history = table
    .ofPod(object.metadata.uid)
    .filter((candidate) => kindOf(candidate) === 'container' && containerNameOf(candidate) === container)
    .sort(byAttempt);
  const found = chosen(history, previous);
  if (found !== undefined) return found;
  throw new ClusterError(
    'BadRequest',
    previous
      ? `previous terminated container "${container}" in pod "${pod}" not found`
      : `container "${container}" in pod "${pod}" is waiting to start`,
  );
};

const logs = (context: LogsContext, request: HttpRequest, path: readonly string[]): HttpResponse => {
  const [namespace = '', pod = '', container = ''] = path;
  const options = logOptions(request.query, context.clock.now());
  const found = findContainer(
    context,
    { namespace, pod, container },
    request.query.get('previous') === 'true',
  );
  return {
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: context.runtime.logs(found.id, options, request.signal),
  };
};

const statusOf = (error: unknown): number => {
  if (hasCode(error, 'NotFound')) return 404;
  if (hasCode(error, 'BadRequest')) return 400;
  return hasCode(error, 'ServiceUnavailable') ? 503 : 500;
};

const asJson = (value: unknown): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: [Buffer.from(JSON.stringify(value))],
});

const route = async (context: LogsContext, request: HttpRequest): Promise<HttpResponse> => {
  const [root, ...path] = request.path.split('/').slice(1);
  if (request.method !== 'GET') return text(405, `${request.method} is not answered here`);
  if (root === 'containerLogs' && path.length === 3) return logs(context, request, path);
  if (root === 'pods' && path.length === 0)
    return asJson({ apiVersion: 'v1', kind: 'PodList', metadata: {}, items: context.source.pods() });
  if (root === 'stats' && path.join('/') === 'summary')
    return asJson(await context.usage.summary(request.signal));
  return text(404, `there is nothing at ${request.path}`);
};

export const agentHandler =
  (context: LogsContext): HttpHandler =>
  async (request) => {
    if (request.path === '/healthz') return text(200, 'ok');
    if (request.clientCertificate === undefined)
      return text(
        401,
        `a client certificate of the cluster is needed${request.clientCertificateError === undefined ? '' : `: ${request.clientCertificateError}`}`,
      );
    try {
      return await route(context, request);
    } catch (error) {
      return text(statusOf(error), messageOf(error));
    }
  };
