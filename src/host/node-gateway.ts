// The NodeGateway of a real cluster: HTTPS from the API server to the agents, with certificates on both sides.
import { Agent } from 'node:https';
import type { RequestOptions } from 'node:https';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import type {
  AgentAddress,
  ContainerLogRequest,
  NodeGateway,
  NodeMeter,
  NodeProbe,
} from '../apiserver/node-gateway.js';
import { ClusterError, messageOf } from '../base/errors.js';
import type { HttpResponse } from '../base/http.js';
import { isObject } from '../base/json.js';
import type { NetworkPath } from '../resources/network-path.js';
import type { UsageSummary } from '../resources/usage-summary.js';
import { retire, type ClientCredentials } from './http-client.js';
import { sendHttps } from './https-request.js';
import { upgradeHttps } from './streams/upgrade-https.js';

export interface HttpNodeGateway extends NodeGateway, NodeMeter, NodeProbe {
  /** For requests of any kind to an agent. */
  agentOptions(node: AgentAddress): Pick<RequestOptions, 'agent' | 'hostname' | 'port'>;
  /** Closes all connections. */
  close(): void;
}

/** Logs that are not followed come at once; followed ones may be silent for long. */
const idleMs = 30_000;
/** An agent measures for a few seconds at most. */
const usageIdleMs = 15_000;

/** An agent is known by its address, or by the certificate that the cluster signed for its node. */
const checkAgent = (node: string) => (host: string, certificate: PeerCertificate) =>
  certificate.subject.CN === `system:node:${node}` ? undefined : checkServerIdentity(host, certificate);

const peerName = ({ name, address, port }: AgentAddress): string =>
  `the agent of node "${name}" at ${address}:${port}`;

const logPath = ({ namespace, pod, container, query }: ContainerLogRequest): string => {
  const path = ['containerLogs', namespace, pod, container].map(encodeURIComponent).join('/');
  const search = query.toString();
  return `/${path}${search === '' ? '' : `?${search}`}`;
};

const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

const isSummary = (value: unknown): value is UsageSummary =>
  isObject(value) && isObject(value['node']) && Array.isArray(value['pods']);

const readUsage = (
  text: string,
  { status, peer }: { readonly status: number; readonly peer: string },
): UsageSummary => {
  const refuse = (why: string): ClusterError =>
    new ClusterError('ServiceUnavailable', `${peer} does not say what its pods consume: ${why}`);
  if (status !== 200) throw refuse(text.trim());
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  if (!isSummary(parsed)) throw refuse('the answer has another form');
  return parsed;
};

export const createNodeGateway = (credentials: () => ClientCredentials): HttpNodeGateway => {
  const agents = new Map<string, { readonly agent: Agent; readonly cert: string }>();
  // One for each node, since the name that its certificate must bear is the agent's option.
  const agentFor = ({ name }: AgentAddress): Agent => {
    const present = credentials();
    const known = agents.get(name);
    if (known?.cert === present.cert) return known.agent;
    if (known !== undefined) retire(known.agent);
    const agent = new Agent({ ...present, keepAlive: true, checkServerIdentity: checkAgent(name) });
    agents.set(name, { agent, cert: present.cert });
    return agent;
  };
  return {
    logs: async (request, signal): Promise<HttpResponse> => {
      const { node, query } = request;
      const target = {
        agent: agentFor(node),
        hostname: node.address,
        port: node.port,
        peer: peerName(node),
      };
      const follow = query.get('follow') === 'true';
      const response = await sendHttps(
        target,
        { method: 'GET', path: logPath(request), idleMs: follow ? undefined : idleMs },
        signal,
      );
      return { status: response.status, headers: {}, body: response.body };
    },
    connect: ({ node, ...request }, signal) => {
      const { address: hostname, port } = node;
      const options = { ...credentials(), hostname, port, checkServerIdentity: checkAgent(node.name) };
      return upgradeHttps({ ...options, ...request, peer: peerName(node) }, signal);
    },
    usage: async (node, signal) => {
      const target = { agent: agentFor(node), hostname: node.address, port: node.port, peer: peerName(node) };
      const path = `/stats/summary?node=${encodeURIComponent(node.name)}`;
      const response = await sendHttps(target, { method: 'GET', path, idleMs: usageIdleMs }, signal);
      return readUsage(await textOf(response.body), { status: response.status, peer: peerName(node) });
    },
    agentOptions: (node) => ({ agent: agentFor(node), hostname: node.address, port: node.port }),
    paths: async (node, signal) => {
      const target = { agent: agentFor(node), hostname: node.address, port: node.port, peer: peerName(node) };
      const response = await sendHttps(target, { method: 'GET', path: '/network/paths', idleMs }, signal);
      const text = await textOf(response.body);
      if (response.status === 200) return JSON.parse(text) as readonly NetworkPath[];
      throw new ClusterError(
        'ServiceUnavailable',
        `${peerName(node)} does not try its paths: ${text.trim()}`,
      );
    },
    close: () => {
      for (const { agent } of agents.values()) agent.destroy();
      agents.clear();
    },
  };
};
