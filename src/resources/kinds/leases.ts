// Leases: heartbeats of nodes and the election of leaders.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { withChanges } from '../defaults.js';
import type { Lease } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { invalid, nonNegative } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

const validate = ({ metadata, spec }: Lease): readonly FieldError[] => {
  const { leaseDurationSeconds: duration, leaseTransitions } = spec;
  return [
    ...nameErrors(metadata),
    ...(duration !== undefined && duration <= 0
      ? [invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0')]
      : []),
    ...nonNegative('spec.leaseTransitions', leaseTransitions),
  ];
};

export const leases = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  shortNames: [],
  namespaced: true,
  definition: 'io.k8s.api.coordination.v1.Lease',
  subresources: [],
  generationFields: [],
  columns: [
    nameColumn,
    text('Holder', 'The identity of the holder of the lease.', ({ spec }) => spec.holderIdentity ?? ''),
    ageColumn,
  ],
  defaulted: (lease) => withChanges(lease, { spec: (lease.spec as Lease['spec'] | undefined) ?? {} }),
  validate,
});
