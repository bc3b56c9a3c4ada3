// Rules about metadata that kinds, pod templates and manifests share.
import type { FieldError } from '../../base/errors.js';
import { child } from '../field-path.js';
import type { DraftMeta, StringMap } from '../resource.js';
import { allInvalid, tooLong } from './field-errors.js';
import { dnsSubdomainErrors, labelValueErrors, qualifiedNameErrors } from './names.js';

/** Kubernetes' `TotalAnnotationSizeLimitB`, in bytes. */
const annotationsLimit = 256 * 1024;

/**
 * The name, or the prefix that the server makes one of. Whether there is one at all is the API server's question.
 * A prefix may end with a dash, which the name it becomes does not.
 */
export const nameErrors = (
  { name, generateName }: DraftMeta,
  rule: (name: string) => readonly string[] = dnsSubdomainErrors,
): readonly FieldError[] => {
  if (name !== undefined && name !== '') return allInvalid('metadata.name', name, rule(name));
  if (generateName === undefined || generateName === '') return [];
  return allInvalid('metadata.generateName', generateName, rule(generateName.replace(/-$/, 'a')));
};

export const labelErrors = (field: string, labels: StringMap | undefined): readonly FieldError[] =>
  Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...allInvalid(field, key, qualifiedNameErrors(key)),
    ...allInvalid(field, value, labelValueErrors(value)),
  ]);

export const annotationErrors = (
  field: string,
  annotations: StringMap | undefined,
): readonly FieldError[] => {
  let size = 0;
  const errors = Object.entries(annotations ?? {}).flatMap(([key, value]) => {
    size += key.length + value.length;
    return allInvalid(field, key, qualifiedNameErrors(key.toLowerCase()));
  });
  return size > annotationsLimit ? [...errors, tooLong(field, annotationsLimit)] : errors;
};

/** Labels and annotations of a template, or of a manifest that no server has seen. */
export const labelledErrors = (field: string, metadata: DraftMeta | undefined): readonly FieldError[] => [
  ...labelErrors(child(field, 'labels'), metadata?.labels),
  ...annotationErrors(child(field, 'annotations'), metadata?.annotations),
];
