// Columns that the kinds of roles and of bindings share.
import { ageColumn, nameColumn, text, wide } from '../columns.js';
import type { RoleRef, Subject } from '../generated/types.js';
import type { Column } from '../kind.js';
import type { Resource } from '../resource.js';
import { subjectNames } from './rules.js';

export const roleColumns: readonly Column<Resource>[] = [
  nameColumn,
  {
    name: 'Created At',
    type: 'date',
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created, in RFC3339 form and UTC.',
    priority: 0,
    cell: ({ metadata }) => metadata.creationTimestamp,
  },
];

type Binding = Resource & {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[] | undefined;
};

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  text('Role', 'The role that the subjects get.', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wide('Users', 'Users in the roleBinding', ({ subjects }) => subjectNames(subjects, 'User')),
  wide('Groups', 'Groups in the roleBinding', ({ subjects }) => subjectNames(subjects, 'Group')),
  wide('ServiceAccounts', 'ServiceAccounts in the roleBinding', ({ subjects }) =>
    subjectNames(subjects, 'ServiceAccount'),
  ),
];
