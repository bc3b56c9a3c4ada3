// Namespaces: the scope of most names.
import { ageColumn, nameColumn, text } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import type { Namespace } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsLabelErrors } from '../validation/names.js';

/** Every namespace can be selected by its name; it ends only when its content is gone (the `kubernetes` finalizer). */
const defaulted = (namespace: Namespace): Namespace => {
  const { metadata, status = {} } = namespace;
  // A draft's spec may be missing, whatever the type of an accepted namespace says.
  const spec = (namespace.spec as Namespace['spec'] | undefined) ?? {};
  const named = metadata.name as string | undefined;
  const labels =
    named === undefined || named === ''
      ? metadata.labels
      : { ...metadata.labels, 'kubernetes.io/metadata.name': named };
  const labelled = metadata.labels?.['kubernetes.io/metadata.name'] === named;
  return withChanges(namespace, {
    metadata: labelled ? metadata : withChanges(metadata, { labels }),
    // While it is being deleted the finalizer goes, and stays away.
    spec:
      metadata.deletionTimestamp === undefined ? withDefaults(spec, { finalizers: ['kubernetes'] }) : spec,
    status: withDefaults(status, { phase: 'Active' }),
  });
};

export const namespaces = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  definition: 'io.k8s.api.core.v1.Namespace',
  subresources: ['status', 'finalize'],
  generationFields: [],
  columns: [
    nameColumn,
    text('Status', 'The status of the namespace', ({ status }) => status?.phase ?? ''),
    ageColumn,
  ],
  defaulted,
  validate: ({ metadata }) => nameErrors(metadata, dnsLabelErrors),
  selectableFields: ({ metadata, status }) => ({ name: metadata.name, 'status.phase': status?.phase ?? '' }),
});
