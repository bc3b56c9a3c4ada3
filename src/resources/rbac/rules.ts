// Rules that roles and bindings share: what a policy rule may say, whom a binding may name.
import type { FieldError } from '../../base/errors.js';
import { mapped, withChanges } from '../defaults.js';
import { child, item } from '../field-path.js';
import type { PolicyRule, RoleRef, Subject } from '../generated/types.js';
import type { ObjectMeta } from '../resource.js';
import { allInvalid, invalid, notSupported, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsSubdomainErrors } from '../validation/names.js';

export const rbacGroup = 'rbac.authorization.k8s.io';

/** Names of roles and bindings are any text that can stand in a URL path. */
const pathSegmentErrors = (name: string): readonly string[] => {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((mark) => name.includes(mark)).map((mark) => `may not contain '${mark}'`);
};

export const rbacNameErrors = (metadata: ObjectMeta): readonly FieldError[] =>
  nameErrors(metadata, pathSegmentErrors);

const isEmpty = (list: readonly string[] | undefined): boolean => (list ?? []).length === 0;

const ruleErrors = (field: string, rule: PolicyRule, namespaced: boolean): readonly FieldError[] => {
  const errors: FieldError[] = isEmpty(rule.verbs)
    ? [required(child(field, 'verbs'), 'verbs must contain at least one value')]
    : [];
  const urls = child(field, 'nonResourceURLs');
  if (!isEmpty(rule.nonResourceURLs)) {
    if (namespaced)
      errors.push(invalid(urls, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (!isEmpty(rule.apiGroups) || !isEmpty(rule.resources) || !isEmpty(rule.resourceNames))
      errors.push(
        invalid(
          urls,
          rule.nonResourceURLs,
          'rules cannot apply to both regular resources and non-resource URLs',
        ),
      );
    return errors;
  }
  if (isEmpty(rule.apiGroups))
    errors.push(required(child(field, 'apiGroups'), 'resource rules must supply at least one api group'));
  if (isEmpty(rule.resources))
    errors.push(required(child(field, 'resources'), 'resource rules must supply at least one resource'));
  return errors;
};

export const rulesErrors = (
  rules: readonly PolicyRule[] | undefined,
  namespaced: boolean,
): readonly FieldError[] =>
  (rules ?? []).flatMap((rule, index) => ruleErrors(item('rules', index), rule, namespaced));

const subjectErrors = (field: string, subject: Subject, namespaced: boolean): readonly FieldError[] => {
  const { kind, name, namespace = '', apiGroup = '' } = subject;
  const errors: FieldError[] = name === '' ? [required(child(field, 'name'))] : [];
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') errors.push(...allInvalid(child(field, 'name'), name, dnsSubdomainErrors(name)));
      if (apiGroup !== '') errors.push(notSupported(child(field, 'apiGroup'), apiGroup, ['']));
      if (!namespaced && namespace === '') errors.push(required(child(field, 'namespace')));
      break;
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) errors.push(notSupported(child(field, 'apiGroup'), apiGroup, [rbacGroup]));
      break;
    default:
      errors.push(notSupported(child(field, 'kind'), kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
};

interface Binding {
  readonly metadata: ObjectMeta;
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[] | undefined;
}

const same = (a: RoleRef, b: RoleRef): boolean =>
  a.apiGroup === b.apiGroup && a.kind === b.kind && a.name === b.name;

export const bindingErrors = (
  binding: Binding,
  old: Binding | undefined,
  namespaced: boolean,
): readonly FieldError[] => {
  const { metadata, roleRef, subjects = [] } = binding;
  const { apiGroup, kind, name } = roleRef;
  const roleKinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  return [
    ...rbacNameErrors(metadata),
    ...(apiGroup === rbacGroup ? [] : [notSupported('roleRef.apiGroup', apiGroup, [rbacGroup])]),
    ...(roleKinds.includes(kind) ? [] : [notSupported('roleRef.kind', kind, roleKinds)]),
    ...(name === '' ? [required('roleRef.name')] : allInvalid('roleRef.name', name, pathSegmentErrors(name))),
    ...subjects.flatMap((subject, index) => subjectErrors(item('subjects', index), subject, namespaced)),
    ...(old !== undefined && !same(old.roleRef, roleRef)
      ? [invalid('roleRef', roleRef, 'cannot change roleRef')]
      : []),
  ];
};

const groupOf = ({ kind, apiGroup = '' }: Subject): string | undefined => {
  if (apiGroup !== '') return apiGroup;
  return kind === 'User' || kind === 'Group' ? rbacGroup : undefined;
};

/** Users, groups and roles belong to the group of this API where nothing else is said. */
export const defaultedBinding = <T extends Binding>(binding: T): T => {
  const changes: Partial<Binding> = {
    roleRef: binding.roleRef.apiGroup === '' ? { ...binding.roleRef, apiGroup: rbacGroup } : binding.roleRef,
    subjects: mapped(binding.subjects, (subject) => withChanges(subject, { apiGroup: groupOf(subject) })),
  };
  return withChanges<T>(binding, changes as Partial<T>);
};

export const subjectNames = (subjects: readonly Subject[] | undefined, kind: string): string =>
  (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace = '' }) => (kind === 'ServiceAccount' ? `${namespace}/${name}` : name))
    .join(', ');
