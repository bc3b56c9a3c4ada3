// kube-public/cluster-info: the one object that everyone may read; a kubeconfig without a user, and who vouches for it.
// https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#configmap-signing
import { parse, stringify } from 'yaml';
import { isObject } from '../base/json.js';

export const clusterInfo = { name: 'cluster-info', namespace: 'kube-public' } as const;
export const clusterInfoKey = 'kubeconfig';
export const signaturePrefix = 'jws-kubeconfig-';

export const signatureKey = (tokenId: string): string => `${signaturePrefix}${tokenId}`;

export interface ClusterAddress {
  /** `https://10.0.0.1:6443`. */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
}

export const renderClusterInfo = ({ server, ca }: ClusterAddress): string =>
  stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: '',
          cluster: { 'certificate-authority-data': Buffer.from(ca).toString('base64'), server },
        },
      ],
      contexts: [],
      users: [],
      'current-context': '',
      preferences: {},
    },
    { lineWidth: 0 },
  );

/** Undefined for what is no such kubeconfig. */
export const readClusterInfo = (text: string): ClusterAddress | undefined => {
  let config: unknown;
  try {
    config = parse(text);
  } catch {
    // Whoever wrote this has not been trusted yet: how it is wrong does not matter.
    return undefined;
  }
  const list: unknown = isObject(config) ? config['clusters'] : undefined;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  const cluster = isObject(first) ? first['cluster'] : undefined;
  if (!isObject(cluster)) return undefined;
  const { server, 'certificate-authority-data': data } = cluster;
  if (typeof server !== 'string' || typeof data !== 'string') return undefined;
  return { server, ca: Buffer.from(data, 'base64').toString('utf8') };
};
