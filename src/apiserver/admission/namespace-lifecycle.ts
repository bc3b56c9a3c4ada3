// Nothing is created in a namespace that does not exist or is going away, and the cluster's own namespaces stay.
import { ClusterError } from '../../base/errors.js';
import { namespaces } from '../../resources/kinds/namespaces.js';
import { forbidden, notFound } from '../verbs/rejections.js';
import type { Admission, AdmissionRequest } from './admission.js';

/** What the cluster cannot do without. */
const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

const checkNamespace = ({ kind, name, namespace = '', reads }: AdmissionRequest): void => {
  const found = reads.get(namespaces, { name: namespace });
  if (found === undefined) throw notFound(namespaces, namespace);
  if (found.metadata.deletionTimestamp === undefined && found.status?.phase !== 'Terminating') return;
  const refusal = forbidden(
    kind,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  throw new ClusterError('Forbidden', refusal.message, {
    ...(refusal.subject === undefined ? {} : { subject: refusal.subject }),
    fields: [
      {
        type: 'FieldValueForbidden',
        field: 'metadata.namespace',
        message: `namespace ${namespace} is being terminated`,
      },
    ],
  });
};

export const namespaceLifecycle: Admission = {
  name: 'NamespaceLifecycle',
  admit: (request) => {
    const { kind, name, operation } = request;
    const isNamespace = kind.group === '' && kind.plural === namespaces.plural;
    if (operation === 'delete') {
      if (isNamespace && immortal.has(name)) throw forbidden(kind, name, 'this namespace may not be deleted');
      return undefined;
    }
    if (operation === 'create' && kind.namespaced) checkNamespace(request);
    return undefined;
  },
};
