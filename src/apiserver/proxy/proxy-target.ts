// Where a request to `pods/…/proxy`, `services/…/proxy` or `nodes/…/proxy` goes.
import { ClusterError } from '../../base/errors.js';
import type { EndpointSlice, Node, Pod, Service } from '../../resources/generated/types.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { pods } from '../../resources/kinds/pods.js';
import { services } from '../../resources/kinds/services.js';
import { agentOf } from '../pod-log.js';
import type { Registry } from '../registry.js';
import type { ResourceRoute } from '../routes.js';
import { checkReachable } from '../streams/pod-streams.js';
import { parseProxyName, portNumber } from './proxy-name.js';
import type { ProxyName } from './proxy-name.js';
import type { ProxyTarget } from './proxy-transport.js';

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);
const unavailable = (message: string): ClusterError => new ClusterError('ServiceUnavailable', message);

type Port = NonNullable<NonNullable<Pod['spec']['containers']>[number]['ports']>[number];

const portsOf = ({ spec }: Pod): readonly Port[] => spec.containers.flatMap(({ ports = [] }) => ports);

/** The port asked for, by number or name; the first one that a container has; or that of the scheme. */
const podPort = (pod: Pod, { port, scheme }: ProxyName): number => {
  if (port === '') return portsOf(pod)[0]?.containerPort ?? (scheme === 'https' ? 443 : 80);
  const found = portNumber(port) ?? portsOf(pod).find(({ name }) => name === port)?.containerPort;
  if (found === undefined) throw bad(`pod ${pod.metadata.name} has no port ${JSON.stringify(port)}`);
  return found;
};

const hostOf = (address: string, port: number): string =>
  `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;

const ofPod = async (
  registry: Registry,
  pod: Pod,
  { scheme, port }: { readonly scheme: ProxyTarget['scheme']; readonly port: number },
): Promise<ProxyTarget> => {
  const { name, namespace = '' } = pod.metadata;
  const node = await agentOf(registry, checkReachable(pod));
  const peer = { type: 'pod' as const, node, namespace, pod: name, port };
  return { peer, scheme, host: hostOf(pod.status?.podIP ?? name, port) };
};

const podTarget = async (registry: Registry, namespace: string, asked: ProxyName): Promise<ProxyTarget> => {
  const pod = (await registry.get(pods, { name: asked.name, namespace })).object as Pod;
  return ofPod(registry, pod, { scheme: asked.scheme, port: podPort(pod, asked) });
};

const servicePort = (
  { spec, metadata }: Service,
  port: string,
): NonNullable<Service['spec']['ports']>[number] => {
  const ports = spec.ports ?? [];
  const number = portNumber(port);
  const found =
    port === ''
      ? ports.length === 1
        ? ports[0]
        : undefined
      : ports.find((each) => each.name === port || each.port === number);
  if (found !== undefined) return found;
  throw port === ''
    ? bad(
        `service ${metadata.name} has ${String(ports.length)} ports: say which one, as ${metadata.name}:PORT`,
      )
    : unavailable(
        `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(metadata.name)}`,
      );
};

interface Candidate {
  readonly address: string;
  readonly port: number;
  readonly pod: { readonly name: string; readonly namespace: string } | undefined;
}

const candidatesOf = (slice: EndpointSlice, portName: string): readonly Candidate[] => {
  const port = (slice.ports ?? []).find(({ name = '' }) => name === portName)?.port;
  if (port === undefined) return [];
  return slice.endpoints.flatMap(({ addresses, conditions, targetRef }): readonly Candidate[] => {
    const [address] = addresses;
    if (address === undefined || conditions?.ready === false) return [];
    const pod =
      targetRef?.kind === 'Pod' && targetRef.name !== undefined
        ? { name: targetRef.name, namespace: targetRef.namespace ?? slice.metadata.namespace ?? '' }
        : undefined;
    return [{ address, port, pod }];
  });
};

const serviceTarget = async (
  registry: Registry,
  namespace: string,
  asked: ProxyName,
  random: () => number,
): Promise<ProxyTarget> => {
  const service = (await registry.get(services, { name: asked.name, namespace })).object as Service;
  const { name: portName = '' } = servicePort(service, asked.port);
  const slices = await registry.list(endpointslices, {
    namespace,
    labelSelector: `kubernetes.io/service-name=${asked.name}`,
  });
  const candidates = slices.items.flatMap(({ object }) => candidatesOf(object as EndpointSlice, portName));
  const chosen = candidates[Math.floor(random() * candidates.length)];
  if (chosen === undefined)
    throw unavailable(`no endpoints available for service ${JSON.stringify(asked.name)}`);
  const { address: host, port, pod } = chosen;
  if (pod === undefined)
    return { peer: { type: 'address', host, port }, scheme: asked.scheme, host: hostOf(host, port) };
  const object = (await registry.get(pods, pod)).object as Pod;
  return ofPod(registry, object, { scheme: asked.scheme, port });
};

/** Only the agent itself: what else listens on a machine is not the cluster's to show. */
const nodeTarget = async (registry: Registry, { name, port }: ProxyName): Promise<ProxyTarget> => {
  const node = (await registry.get(nodes, { name })).object as Node;
  const agent = await agentOf(registry, node.metadata.name);
  if (port !== '' && portNumber(port) !== agent.port)
    throw bad(`only the agent of node ${name} can be reached, at port ${String(agent.port)}`);
  return { peer: { type: 'agent', node: agent }, scheme: 'https', host: hostOf(agent.address, agent.port) };
};

/** Throws NotFound, BadRequest or ServiceUnavailable, in the words of Kubernetes where it has some. */
export const proxyTarget = (
  registry: Registry,
  { plural, namespace = '', name = '' }: ResourceRoute,
  random: () => number,
): Promise<ProxyTarget> => {
  const asked = parseProxyName(name);
  switch (plural) {
    case 'pods':
      return podTarget(registry, namespace, asked);
    case 'services':
      return serviceTarget(registry, namespace, asked, random);
    default:
      return nodeTarget(registry, asked);
  }
};
