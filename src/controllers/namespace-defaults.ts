// What every namespace has from the start: the service account `default` and the cluster's certificate authority.
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { Controller, Key } from '../reconcile/controller.js';
import type { ConfigMap, Namespace } from '../resources/generated/types.js';
import { configmaps } from '../resources/kinds/configmaps.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import { serviceaccounts } from '../resources/kinds/serviceaccounts.js';
import { isDeleting, nameOf } from '../resources/resource.js';
import type { Draft, Resource } from '../resources/resource.js';

const account = 'default';
const rootCertificate = 'kube-root-ca.crt';
const certificateKey = 'ca.crt';

export interface NamespaceDefaultsObserved {
  readonly namespace: Namespace;
  readonly hasAccount: boolean;
  readonly certificate: ConfigMap | undefined;
}

const namespaceKey = (object: Resource): readonly Key[] =>
  object.metadata.namespace === undefined ? [] : [{ name: object.metadata.namespace }];

const certificateActions = (
  namespace: string,
  present: ConfigMap | undefined,
  pem: string | undefined,
): readonly ClusterAction[] => {
  if (pem === undefined || present?.data?.[certificateKey] === pem) return [];
  if (present !== undefined) {
    const object: ConfigMap = { ...present, data: { ...present.data, [certificateKey]: pem } };
    return [{ type: 'update', kind: configmaps, object }];
  }
  const draft: Draft<ConfigMap> = {
    metadata: { name: rootCertificate, namespace },
    data: { [certificateKey]: pem },
  };
  return [{ type: 'create', kind: configmaps, object: draft }];
};

/** `pem`: the certificate of the cluster's authority; without it no ConfigMap is made. */
export const createNamespaceDefaultsController = (
  pem?: string,
): Controller<NamespaceDefaultsObserved, ClusterAction> => ({
  name: 'namespace-defaults',
  watches: [
    { kind: namespaces, keys: ({ object }) => [nameOf(object)] },
    {
      kind: serviceaccounts,
      keys: ({ type, object }) =>
        type === 'deleted' && object.metadata.name === account ? namespaceKey(object) : [],
    },
    {
      kind: configmaps,
      keys: ({ object }) => (object.metadata.name === rootCertificate ? namespaceKey(object) : []),
    },
  ],
  observe: (view, { name }) => {
    const namespace = view.get(namespaces, { name });
    if (namespace === undefined || isDeleting(namespace)) return undefined;
    return {
      namespace,
      hasAccount: view.get(serviceaccounts, { name: account, namespace: name }) !== undefined,
      certificate: view.get(configmaps, { name: rootCertificate, namespace: name }),
    };
  },
  reconcile: ({ namespace, hasAccount, certificate }) => {
    const { name } = namespace.metadata;
    const accounts: readonly ClusterAction[] = hasAccount
      ? []
      : [
          {
            type: 'create',
            kind: serviceaccounts,
            object: { metadata: { name: account, namespace: name } },
          },
        ];
    const actions = [...accounts, ...certificateActions(name, certificate, pem)];
    return {
      actions,
      because: actions.length === 0 ? 'has what every namespace has' : 'gets what every namespace has',
    };
  },
});
