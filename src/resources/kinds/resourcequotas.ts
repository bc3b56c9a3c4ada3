// ResourceQuotas: how much all of a namespace may use together.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { child, item } from '../field-path.js';
import type { ResourceQuota } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { parseQuantity } from '../quantity.js';
import { allInvalid, immutable, invalid, notSupported, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { qualifiedNameErrors } from '../validation/names.js';
import { equal } from '../../base/json.js';

/** Resources that a quota may name without a domain. */
const known: ReadonlySet<string> = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

const isQuotaResource = (name: string): boolean =>
  known.has(name) ||
  name.includes('/') ||
  name.startsWith('requests.hugepages-') ||
  name.startsWith('hugepages-');

const quotaScopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
];

const hardErrors = ({ spec }: ResourceQuota): readonly FieldError[] =>
  Object.entries(spec.hard ?? {}).flatMap(([name, amount]) => {
    const field = item('spec.hard', name);
    const parsed = parseQuantity(amount);
    return [
      ...allInvalid(field, name, qualifiedNameErrors(name)),
      ...(isQuotaResource(name) ? [] : [invalid(field, name, 'must be a standard resource for quota')]),
      ...(parsed !== undefined && parsed.nanos < 0n
        ? [invalid(field, amount, 'must be greater than or equal to 0')]
        : []),
    ];
  });

const scopeErrors = ({ spec }: ResourceQuota): readonly FieldError[] => {
  const { scopes = [], scopeSelector } = spec;
  const errors = scopes.flatMap((scope, index): readonly FieldError[] =>
    quotaScopes.includes(scope) ? [] : [notSupported(item('spec.scopes', index), scope, quotaScopes)],
  );
  for (const [first, second] of [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ] as const)
    if (scopes.includes(first) && scopes.includes(second))
      errors.push(invalid('spec.scopes', scopes, `conflicting scopes`));
  const at = 'spec.scopeSelector.matchExpressions';
  for (const [index, { scopeName, operator, values = [] }] of (
    scopeSelector?.matchExpressions ?? []
  ).entries()) {
    const field = item(at, index);
    if (!quotaScopes.includes(scopeName))
      errors.push(notSupported(child(field, 'scopeName'), scopeName, quotaScopes));
    if (scopeName !== 'PriorityClass' && operator !== 'Exists')
      errors.push(
        invalid(
          child(field, 'operator'),
          operator,
          `must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity`,
        ),
      );
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      errors.push(
        required(
          child(field, 'values'),
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        ),
      );
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      errors.push(
        invalid(
          child(field, 'values'),
          values,
          "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector",
        ),
      );
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator))
      errors.push(invalid(child(field, 'operator'), operator, 'not a valid selector operator'));
  }
  return errors;
};

const sorted = (list: readonly string[] | undefined): readonly string[] => [...(list ?? [])].sort();

const validate = (quota: ResourceQuota, old: ResourceQuota | undefined): readonly FieldError[] => [
  ...nameErrors(quota.metadata),
  ...hardErrors(quota),
  ...scopeErrors(quota),
  ...(old !== undefined && !equal(sorted(old.spec.scopes), sorted(quota.spec.scopes))
    ? [immutable('spec.scopes', quota.spec.scopes)]
    : []),
];

const isLimit = (name: string): boolean => name.startsWith('limits.');

const usage = ({ status }: ResourceQuota, wanted: (name: string) => boolean): string =>
  Object.entries(status?.hard ?? {})
    .filter(([name]) => wanted(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`)
    .join(', ');

export const resourcequotas = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.ResourceQuota',
  subresources: ['status'],
  columns: [
    nameColumn,
    text('Request', 'Used and allowed amounts of requests and counts.', (quota) =>
      usage(quota, (name) => !isLimit(name)),
    ),
    text('Limit', 'Used and allowed amounts of limits.', (quota) => usage(quota, isLimit)),
    ageColumn,
  ],
  defaulted: (quota) =>
    (quota as { readonly spec?: ResourceQuota['spec'] }).spec === undefined ? { ...quota, spec: {} } : quota,
  validate,
});
