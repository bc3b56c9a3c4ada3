// `pods/NAME/log`: which container of the pod is meant, whether it can have logs yet, and the stream from its node.
import { ClusterError } from '../base/errors.js';
import type { HttpResponse } from '../base/http.js';
import { isObject } from '../base/json.js';
import type { ContainerStatus, Node, Pod } from '../resources/generated/types.js';
import { nodes } from '../resources/kinds/nodes.js';
import { flag, wholeNumber } from './call-options.js';
import type { AgentAddress, NodeGateway } from './node-gateway.js';
import type { Registry } from './registry.js';
import { objectName } from './resource-call.js';
import type { Verb } from './resource-call.js';

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

const namesOf = (containers: readonly { readonly name: string }[] | undefined): readonly string[] =>
  (containers ?? []).map(({ name }) => name);

/** The container asked for, or the only one. Throws BadRequest in the words of Kubernetes. */
export const containerOf = (pod: Pod, asked: string | undefined): string => {
  const main = namesOf(pod.spec.containers);
  const init = namesOf(pod.spec.initContainers);
  const ephemeral = namesOf(pod.spec.ephemeralContainers);
  const { name } = pod.metadata;
  if (asked !== undefined) {
    if ([...main, ...init, ...ephemeral].includes(asked)) return asked;
    throw bad(`container ${asked} is not valid for pod ${name}`);
  }
  const [only] = main;
  if (only !== undefined && main.length + init.length + ephemeral.length === 1) return only;
  if (only !== undefined && main.length === 1 && ephemeral.length === 0 && init.length === 0) return only;
  const initNote = init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`;
  const ephemeralNote =
    ephemeral.length === 0 ? '' : ` or one of the ephemeral containers: [${ephemeral.join(' ')}]`;
  throw bad(
    `a container name must be specified for pod ${name}, choose one of: [${main.join(' ')}]${initNote}${ephemeralNote}`,
  );
};

const statusesOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status?.containerStatuses ?? []),
  ...(status?.initContainerStatuses ?? []),
  ...(status?.ephemeralContainerStatuses ?? []),
];

const waitingReason = (reason: string | undefined): string => {
  if (reason === 'ErrImagePull') return "image can't be pulled";
  if (reason === 'ImagePullBackOff') return 'trying and failing to pull image';
  return reason ?? 'no reason given yet';
};

/** Throws BadRequest when the container has no log that could be shown, saying what it waits for. */
export const checkHasLog = (pod: Pod, container: string, previous: boolean): void => {
  const status = statusesOf(pod).find(({ name }) => name === container);
  const named = `container "${container}" in pod "${pod.metadata.name}"`;
  if (previous) {
    if (status?.lastState?.terminated === undefined && (status?.restartCount ?? 0) === 0)
      throw bad(`previous terminated ${named} not found`);
    return;
  }
  const waiting = status?.state?.waiting;
  if (waiting !== undefined && status?.lastState?.terminated === undefined)
    throw bad(`${named} is waiting to start: ${waitingReason(waiting.reason)}`);
};

/** Query parameters that the agent gets, each checked. */
const agentQuery = (query: URLSearchParams): URLSearchParams => {
  const passed = new URLSearchParams();
  for (const name of ['follow', 'previous', 'timestamps'])
    if (flag(query, name) === true) passed.set(name, 'true');
  for (const name of ['tailLines', 'sinceSeconds', 'limitBytes']) {
    const found = wholeNumber(query, name);
    if (found !== undefined) passed.set(name, String(found));
  }
  const since = query.get('sinceTime') ?? '';
  if (since !== '') {
    if (Number.isNaN(Date.parse(since)))
      throw bad(`sinceTime must be an RFC 3339 time, not ${JSON.stringify(since)}`);
    if (passed.has('sinceSeconds'))
      throw bad('at most one of `sinceTime` or `sinceSeconds` may be specified');
    passed.set('sinceTime', since);
  }
  for (const name of ['sinceSeconds', 'limitBytes'])
    if (passed.get(name) === '0') throw bad(`${name} must be greater than 0`);
  return passed;
};

const notScheduled = (pod: Pod): ClusterError => {
  const reason = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message;
  return bad(
    `pod "${pod.metadata.name}" has no logs yet: it is not scheduled to a node${reason === undefined ? '' : ` (${reason})`}`,
  );
};

/** Throws ServiceUnavailable when the Node is gone or says nothing of where its agent listens. */
export const agentOf = async (registry: Pick<Registry, 'get'>, name: string): Promise<AgentAddress> => {
  const unreachable = (why: string): ClusterError =>
    new ClusterError('ServiceUnavailable', `the agent of node "${name}" cannot be reached: ${why}`);
  let node: Node;
  try {
    node = (await registry.get(nodes, { name })).object as Node;
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'NotFound')
      throw unreachable('the node is not part of the cluster any more');
    throw error;
  }
  const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (address === undefined) throw unreachable('its status has no InternalIP');
  if (port === undefined) throw unreachable('its status has no daemonEndpoints.kubeletEndpoint.Port');
  return { name, address, port };
};

const bodyText = async (body: HttpResponse['body']): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

/** The agent's refusal in its own words: a Status, or plain text. */
const agentError = async (response: HttpResponse): Promise<ClusterError> => {
  const text = await bodyText(response.body);
  let message = text.trim();
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed) && typeof parsed['message'] === 'string') message = parsed['message'];
  } catch {
    // Plain text: it is the message.
  }
  const code =
    response.status === 404 ? 'NotFound' : response.status === 400 ? 'BadRequest' : 'InternalError';
  return new ClusterError(code, message === '' ? `the agent answered with HTTP ${response.status}` : message);
};

export const podLog =
  (gateway: NodeGateway): Verb =>
  async (call) => {
    const { registry } = call.server;
    const { query, signal } = call.request;
    const pod = (await registry.get(call.kind, objectName(call))).object as Pod;
    const asked = query.get('container') ?? '';
    const container = containerOf(pod, asked === '' ? undefined : asked);
    const passed = agentQuery(query);
    const node = pod.spec.nodeName;
    if (node === undefined || node === '') throw notScheduled(pod);
    checkHasLog(pod, container, passed.has('previous'));
    const response = await gateway.logs(
      {
        node: await agentOf(registry, node),
        namespace: pod.metadata.namespace ?? '',
        pod: pod.metadata.name,
        container,
        query: passed,
      },
      signal,
    );
    if (response.status !== 200) throw await agentError(response);
    return { status: 200, headers: { 'content-type': 'text/plain' }, body: response.body };
  };
