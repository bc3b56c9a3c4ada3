// Metadata: what the server sets, what a writer may not change, and what is wrong with the rest.
import type { Instant } from '../../base/clock.js';
import { toTimestamp } from '../../base/clock.js';
import type { FieldError } from '../../base/errors.js';
import type { Kind } from '../../resources/kind.js';
import type { DraftMeta, ObjectMeta, OwnerReference } from '../../resources/resource.js';
import { forbidden, invalid, required, tooLong } from '../../resources/validation/field-errors.js';
import { annotationErrors, labelErrors } from '../../resources/validation/metadata.js';
import { qualifiedNameErrors } from '../../resources/validation/names.js';

/** In bytes. */
const longestName = 253;

const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** Whatever a kind says about names beyond this, a name is one segment of a path. */
const nameErrors = (name: string): readonly FieldError[] => {
  if (name === '') return [required('metadata.name', 'name or generateName is required')];
  if (name === '.' || name === '..') return [invalid('metadata.name', name, `may not be '${name}'`)];
  const found = ['/', '%'].filter((character) => name.includes(character));
  if (name.length > longestName) return [tooLong('metadata.name', longestName)];
  return found.map((character) => invalid('metadata.name', name, `may not contain '${character}'`));
};

const ownerErrors = (owners: readonly OwnerReference[]): readonly FieldError[] => {
  const errors = owners.flatMap((owner, index) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((member) => owner[member] === '')
      .map((member) => required(`metadata.ownerReferences[${String(index)}].${member}`)),
  );
  const controllers = owners.filter(({ controller }) => controller === true);
  const [first, second] = controllers;
  if (first !== undefined && second !== undefined)
    errors.push(
      invalid(
        'metadata.ownerReferences',
        second.name,
        `Only one reference can have Controller set to true. Found "true" in references for ${first.name} and ${second.name}`,
      ),
    );
  return errors;
};

/** Kinds of Kubernetes' own extensions are less strict about names without a domain. */
const finalizerErrors = (finalizers: readonly string[], lenient: boolean): readonly FieldError[] =>
  finalizers.flatMap((finalizer, index) => {
    const field = `metadata.finalizers[${String(index)}]`;
    const [syntax] = qualifiedNameErrors(finalizer);
    if (syntax !== undefined) return [invalid(field, finalizer, syntax)];
    if (lenient || finalizer.includes('/') || standardFinalizers.has(finalizer)) return [];
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    return [invalid(field, finalizer, why)];
  });

export const metadataErrors = (
  kind: Kind,
  metadata: ObjectMeta,
  old: ObjectMeta | undefined,
): readonly FieldError[] => {
  const lenient = kind.schema !== undefined || kind.group === 'apiextensions.k8s.io';
  const { labels, annotations, ownerReferences, finalizers } = metadata;
  const errors = [
    ...nameErrors(metadata.name),
    ...(labels === undefined || labels === old?.labels ? [] : labelErrors('metadata.labels', labels)),
    ...(annotations === undefined || annotations === old?.annotations
      ? []
      : annotationErrors('metadata.annotations', annotations)),
    ...(ownerReferences === undefined ? [] : ownerErrors(ownerReferences)),
    ...(finalizers === undefined ? [] : finalizerErrors(finalizers, lenient)),
  ];
  const added = (finalizers ?? []).filter((finalizer) => old?.finalizers?.includes(finalizer) !== true);
  if (old?.deletionTimestamp !== undefined && added.length > 0)
    errors.push(
      forbidden(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
      ),
    );
  return errors;
};

/** What a client may write. */
const written = ({
  labels,
  annotations,
  ownerReferences,
  finalizers,
  managedFields,
}: DraftMeta): DraftMeta => ({
  ...(labels === undefined ? {} : { labels }),
  ...(annotations === undefined ? {} : { annotations }),
  ...(ownerReferences === undefined || ownerReferences.length === 0 ? {} : { ownerReferences }),
  ...(finalizers === undefined || finalizers.length === 0 ? {} : { finalizers }),
  ...(managedFields === undefined ? {} : { managedFields }),
});

export interface Birth {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly uid: string;
  readonly now: Instant;
}

/** Metadata of a new object; the resourceVersion follows from the commit. */
export const bornMetadata = (
  kind: Kind,
  draft: DraftMeta,
  { name, namespace, uid, now }: Birth,
): ObjectMeta => ({
  name,
  ...(draft.generateName === undefined || draft.generateName === ''
    ? {}
    : { generateName: draft.generateName }),
  ...(namespace === undefined ? {} : { namespace }),
  uid,
  resourceVersion: '',
  ...(kind.generationFields.length > 0 ? { generation: 1 } : {}),
  creationTimestamp: toTimestamp(now),
  ...written(draft),
});

/** What the server owns stays as it is, whatever the client sent. */
export const replacedMetadata = (old: ObjectMeta, sent: DraftMeta): ObjectMeta => ({
  name: old.name,
  ...(old.generateName === undefined ? {} : { generateName: old.generateName }),
  ...(old.namespace === undefined ? {} : { namespace: old.namespace }),
  uid: old.uid,
  resourceVersion: old.resourceVersion,
  ...(old.generation === undefined ? {} : { generation: old.generation }),
  creationTimestamp: old.creationTimestamp,
  ...(old.deletionTimestamp === undefined ? {} : { deletionTimestamp: old.deletionTimestamp }),
  ...(old.deletionGracePeriodSeconds === undefined
    ? {}
    : { deletionGracePeriodSeconds: old.deletionGracePeriodSeconds }),
  ...written(sent),
});
