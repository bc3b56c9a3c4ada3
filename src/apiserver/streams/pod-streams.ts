// `pods/NAME/exec`, `attach` and `portforward`: whether the pod can be reached, and what its node's agent is asked.
import { ClusterError } from '../../base/errors.js';
import type { HttpRequest } from '../../base/http.js';
import type { Pod } from '../../resources/generated/types.js';
import { pods } from '../../resources/kinds/pods.js';
import type { StreamRequest } from '../node-gateway.js';
import { agentOf, containerOf } from '../pod-log.js';
import type { Registry } from '../registry.js';
import type { ResourceRoute } from '../routes.js';

export type PodStream = 'exec' | 'attach' | 'portforward';

const verbs: Readonly<Record<PodStream, string>> = {
  exec: 'exec',
  attach: 'attach',
  portforward: 'portForward',
};

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

/** Undefined for a route to anything else. */
export const podStreamOf = (route: ResourceRoute): PodStream | undefined => {
  const { group, version, plural, namespace, name, subresource } = route;
  if (group !== pods.group || version !== pods.version || plural !== pods.plural) return undefined;
  if (namespace === undefined || name === undefined || subresource === undefined) return undefined;
  return subresource in verbs ? (subresource as PodStream) : undefined;
};

const finished: ReadonlySet<string> = new Set(['Succeeded', 'Failed']);

/** Throws BadRequest, in the words of Kubernetes, when there is nothing to connect to. */
export const checkReachable = (pod: Pod): string => {
  const { name } = pod.metadata;
  const node = pod.spec.nodeName ?? '';
  if (node === '') throw bad(`pod ${name} does not have a host assigned`);
  const phase = pod.status?.phase ?? '';
  if (finished.has(phase))
    throw bad(`cannot connect to a container in a completed pod; current phase is ${phase}`);
  return node;
};

/** What of the request makes the upgrade; nothing else of the client's goes on. */
const passed: readonly string[] = [
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'x-stream-protocol-version',
];

const upgradeHeaders = ({ headers }: HttpRequest): Readonly<Record<string, string>> => ({
  connection: 'Upgrade',
  ...Object.fromEntries(
    passed.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  ),
});

const parameters: Readonly<Record<PodStream, readonly string[]>> = {
  exec: ['command', 'stdin', 'stdout', 'stderr', 'tty'],
  attach: ['stdin', 'stdout', 'stderr', 'tty'],
  portforward: ['ports'],
};

const agentPath = (pod: Pod, stream: PodStream, query: URLSearchParams): string => {
  const asked = query.get('container') ?? '';
  const names = [
    verbs[stream],
    pod.metadata.namespace ?? '',
    pod.metadata.name,
    ...(stream === 'portforward' ? [] : [containerOf(pod, asked === '' ? undefined : asked)]),
  ];
  const sent = new URLSearchParams();
  for (const name of parameters[stream]) for (const value of query.getAll(name)) sent.append(name, value);
  const search = sent.toString();
  return `/${names.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
};

export const agentRequest = async (
  registry: Registry,
  stream: PodStream,
  route: ResourceRoute,
  request: HttpRequest,
): Promise<StreamRequest> => {
  const name = { name: route.name ?? '', namespace: route.namespace };
  const pod = (await registry.get(pods, name)).object as Pod;
  const path = agentPath(pod, stream, request.query);
  const node = checkReachable(pod);
  return {
    node: await agentOf(registry, node),
    method: request.method,
    path,
    headers: upgradeHeaders(request),
  };
};
