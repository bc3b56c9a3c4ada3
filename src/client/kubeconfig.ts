// Kubeconfig files: where an API server is and what proves who asks. Written with everything embedded; read likewise.
import { parse, stringify } from 'yaml';
import { ClusterError, messageOf } from '../base/errors.js';
import { isObject } from '../base/json.js';

export interface Kubeconfig {
  /** Name of the context, its cluster and its user. */
  readonly name: string;
  /** `https://127.0.0.1:6443`. */
  readonly server: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  /** PEM of the client's certificate and key. */
  readonly cert: string;
  readonly key: string;
  /** Namespace of commands that name none. */
  readonly namespace?: string | undefined;
  /** Name of the user entry; the context's when absent. */
  readonly user?: string | undefined;
}

const encode = (pem: string): string => Buffer.from(pem, 'utf8').toString('base64');

export const renderKubeconfig = ({
  name,
  server,
  ca,
  cert,
  key,
  namespace,
  user = name,
}: Kubeconfig): string =>
  stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server, 'certificate-authority-data': encode(ca) } }],
      users: [
        { name: user, user: { 'client-certificate-data': encode(cert), 'client-key-data': encode(key) } },
      ],
      contexts: [
        { name, context: { cluster: name, user, ...(namespace === undefined ? {} : { namespace }) } },
      ],
      'current-context': name,
    },
    { lineWidth: 0 },
  );

const invalid = (origin: string, message: string): ClusterError =>
  new ClusterError('Invalid', `${origin} is not a usable kubeconfig: ${message}`);

const namedIn = (list: unknown, name: string): Record<string, unknown> | undefined =>
  (Array.isArray(list) ? list : []).filter(isObject).find((item) => item['name'] === name);

/** Reads the current context. `origin` names the file in errors (ClusterError Invalid). */
export const parseKubeconfig = (text: string, origin: string): Kubeconfig => {
  let config: unknown;
  try {
    config = parse(text);
  } catch (error) {
    throw invalid(origin, messageOf(error));
  }
  if (!isObject(config)) throw invalid(origin, 'it is not a YAML object');
  const name = config['current-context'];
  if (typeof name !== 'string' || name === '') throw invalid(origin, 'it has no current-context');
  const part = (list: string, member: string, entry: unknown): Record<string, unknown> => {
    const found = typeof entry === 'string' ? namedIn(config[list], entry)?.[member] : undefined;
    if (!isObject(found)) throw invalid(origin, `${list} has no entry named ${JSON.stringify(entry)}`);
    return found;
  };
  const text64 = (from: Record<string, unknown>, field: string, where: string): string => {
    const value = from[field];
    if (typeof value !== 'string' || value === '')
      throw invalid(
        origin,
        `${where} must embed ${field} (make it with: kubectl config view --raw --flatten)`,
      );
    return Buffer.from(value, 'base64').toString('utf8');
  };
  const context = part('contexts', 'context', name);
  const cluster = part('clusters', 'cluster', context['cluster']);
  const user = part('users', 'user', context['user']);
  const { server } = cluster;
  if (typeof server !== 'string' || !URL.canParse(server))
    throw invalid(origin, `the cluster's server is not a URL: ${JSON.stringify(server)}`);
  const { namespace } = context;
  return {
    name,
    server,
    ca: text64(cluster, 'certificate-authority-data', 'the cluster'),
    cert: text64(user, 'client-certificate-data', 'the user'),
    key: text64(user, 'client-key-data', 'the user'),
    user: String(context['user']),
    ...(typeof namespace === 'string' ? { namespace } : {}),
  };
};
