// A connection to a cluster's API server from a kubeconfig: the Cluster contract, and Capstan's own endpoints.
import { createRemoteCluster } from '../client/remote-cluster.js';
import type { Cluster } from '../client/cluster.js';
import { parseKubeconfig } from '../client/kubeconfig.js';
import { errorOfStatus } from '../client/status-error.js';
import { createHttpClient } from '../host/http-client.js';

export interface Remote {
  readonly cluster: Cluster;
  /** Address of the API server. */
  readonly server: string;
  /** Calls one of Capstan's own endpoints and parses its JSON answer; throws ClusterError like every verb. */
  request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<unknown>;
  /** The body of one of Capstan's own endpoints, as it comes; throws like `request`. */
  download(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  close(): void;
}

const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

/** `origin` names the kubeconfig in errors. */
export const openRemote = (kubeconfig: string, origin: string, userAgent = 'capstan'): Remote => {
  const { server, ca, cert, key } = parseKubeconfig(kubeconfig, origin);
  const transport = createHttpClient({ server, ca, cert, key });
  return {
    cluster: createRemoteCluster(transport, { userAgent }),
    server,
    request: async (method, path, body, signal) => {
      const response = await transport.request(
        {
          method,
          path,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
        },
        signal,
      );
      const text = await textOf(response.body);
      const value: unknown = text === '' ? undefined : JSON.parse(text);
      if (response.status >= 400) throw errorOfStatus(response.status, value);
      return value;
    },
    download: async (path, signal) => {
      const { status, body } = await transport.request({ method: 'GET', path }, signal);
      if (status >= 400) throw errorOfStatus(status, JSON.parse(await textOf(body)));
      return body;
    },
    close: () => transport.close(),
  };
};
