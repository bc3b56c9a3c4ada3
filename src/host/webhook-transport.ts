// HTTPS to webhooks. Their certificates are checked against the authority of their configuration.
import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import type {
  WebhookAnswer,
  WebhookCall,
  WebhookTransport,
} from '../apiserver/webhooks/webhook-transport.js';
import { LRUCache } from 'lru-cache';

/** An answer of a webhook is a patch and a few sentences. In bytes. */
const mostBytes = 8 * 1024 * 1024;

const post = (agent: Agent, call: WebhookCall, signal: AbortSignal): Promise<WebhookAnswer> =>
  new Promise((resolve, reject) => {
    const url = new URL(call.url);
    const name = call.serverName ?? url.hostname.replace(/^\[|\]$/g, '');
    const outgoing = request(
      {
        method: 'POST',
        agent,
        signal,
        host: call.address?.host ?? url.hostname.replace(/^\[|\]$/g, ''),
        port: call.address?.port ?? (url.port === '' ? 443 : Number(url.port)),
        path: `${url.pathname}${url.search}`,
        ...(isIP(name) === 0 ? { servername: name } : {}),
        headers: {
          host: url.host,
          'content-type': 'application/json',
          accept: 'application/json',
          'content-length': call.body.byteLength,
        },
      },
      (response) => {
        const chunks: Uint8Array[] = [];
        let size = 0;
        response.on('data', (chunk: Uint8Array) => {
          size += chunk.byteLength;
          if (size > mostBytes)
            outgoing.destroy(new Error(`the answer has more than ${String(mostBytes)} bytes`));
          else chunks.push(chunk);
        });
        response.once('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
        );
      },
    );
    outgoing.once('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    outgoing.end(call.body);
  });

export interface HostWebhookTransport extends WebhookTransport {
  close(): void;
}

/** Keeps connections open between calls, apart for each authority. */
export const createWebhookTransport = (): HostWebhookTransport => {
  const agents = new LRUCache<string, Agent>({ max: 100, dispose: (agent) => agent.destroy() });
  return {
    post: (call, signal) => {
      const key = call.ca ?? '';
      let agent = agents.get(key);
      if (agent === undefined) {
        agent = new Agent({
          keepAlive: true,
          maxSockets: 32,
          ...(call.ca === undefined ? {} : { ca: call.ca }),
        });
        agents.set(key, agent);
      }
      return post(agent, call, signal);
    },
    close: () => agents.clear(),
  };
};
