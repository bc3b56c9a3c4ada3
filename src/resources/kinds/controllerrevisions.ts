// ControllerRevisions: what the template of a DaemonSet or StatefulSet has been, for `kubectl rollout history` and `undo`.
import { equal } from '../../base/json.js';
import type { FieldError } from '../../base/errors.js';
import { ageColumn, integer, nameColumn, orNone, text } from '../columns.js';
import type { ControllerRevision } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { controllerOf } from '../resource.js';
import { immutable, nonNegative } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

/** `daemonset.apps/logs`, as Kubernetes' printer shows an owner. */
const ownerText = (revision: ControllerRevision): string | undefined => {
  const owner = controllerOf(revision);
  if (owner === undefined) return undefined;
  const [group = '', version] = owner.apiVersion.split('/');
  const kind = owner.kind.toLowerCase();
  return version === undefined ? `${kind}/${owner.name}` : `${kind}.${group}/${owner.name}`;
};

const validate = (
  { metadata, revision, data }: ControllerRevision,
  old: ControllerRevision | undefined,
): readonly FieldError[] => [
  ...nameErrors(metadata),
  ...nonNegative('revision', revision),
  ...(old !== undefined && !equal(data, old.data) ? [immutable('data', data)] : []),
];

export const controllerrevisions = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
  definition: 'io.k8s.api.apps.v1.ControllerRevision',
  columns: [
    nameColumn,
    text('Controller', 'Controller of the object', (revision) => orNone(ownerText(revision))),
    integer(
      'Revision',
      'Revision indicates the revision of the state represented by Data.',
      ({ revision }) => revision,
    ),
    ageColumn,
  ],
  validate,
});
