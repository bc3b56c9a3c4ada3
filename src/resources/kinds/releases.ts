// Releases: rollouts that advance step by step together; one that fails takes all of them back.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { child, item } from '../field-path.js';
import type { Release } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { allInvalid, duplicates, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsSubdomainErrors } from '../validation/names.js';

const validate = ({ metadata, spec }: Release): readonly FieldError[] => {
  const at = child('spec', 'rollouts');
  return [
    ...nameErrors(metadata),
    ...(spec.rollouts.length === 0 ? [required(at)] : []),
    ...spec.rollouts.flatMap((name, index) => allInvalid(item(at, index), name, dnsSubdomainErrors(name))),
    ...duplicates(
      spec.rollouts,
      (name) => name,
      (index) => item(at, index),
    ),
  ];
};

export const releases = defineKind<Release>({
  group: 'capstan.dev',
  version: 'v1',
  kind: 'Release',
  plural: 'releases',
  categories: ['capstan'],
  namespaced: true,
  definition: 'io.capstan.v1.Release',
  subresources: ['status'],
  generationFields: ['spec'],
  columns: [
    nameColumn,
    text('Phase', 'Healthy, Progressing, Paused or Degraded', ({ status }) => status?.phase ?? ''),
    text('Rollouts', 'Members', ({ spec }) => spec.rollouts.join(',')),
    text('Message', 'Why', ({ status }) => status?.message ?? ''),
    ageColumn,
  ],
  validate,
});
