// The NodeGateway of a real cluster: HTTPS from the API server to the agents, with certificates on both sides.
import { Agent } from 'node:https';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import type { AgentAddress, ContainerLogRequest, NodeGateway } from '../apiserver/node-gateway.js';
import type { HttpResponse } from '../base/http.js';
import { retire, type ClientCredentials } from './http-client.js';
import { sendHttps } from './https-request.js';
import { upgradeHttps } from './streams/upgrade-https.js';

export interface HttpNodeGateway extends NodeGateway {
  /** Closes all connections. */
  close(): void;
}

/** Logs that are not followed come at once; followed ones may be silent for long. */
const idleMs = 30_000;

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
    close: () => {
      for (const { agent } of agents.values()) agent.destroy();
      agents.clear();
    },
  };
};
