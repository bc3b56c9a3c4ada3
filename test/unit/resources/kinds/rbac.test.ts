import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/resources/kind.js';
import { clusterrolebindings } from '../../../../src/resources/kinds/clusterrolebindings.js';
import { clusterroles } from '../../../../src/resources/kinds/clusterroles.js';
import { rolebindings } from '../../../../src/resources/kinds/rolebindings.js';
import { roles } from '../../../../src/resources/kinds/roles.js';
import { accepted, problems, tableRow } from '../sentences.js';

const rbac = 'rbac.authorization.k8s.io';
const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: 'view' };
const reads = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };

describe('roles and bindings are refused for', () => {
  it.each<[string, Kind, object, readonly string[]]>([
    ['nothing', roles, { metadata: { name: 'system:node:reader' }, rules: [reads] }, []],
    [
      'a name that cannot stand in a path',
      roles,
      { metadata: { name: 'a/b%c' } },
      [
        `metadata.name: Invalid value: "a/b%c": may not contain '/'`,
        `metadata.name: Invalid value: "a/b%c": may not contain '%'`,
      ],
    ],
    [
      'a rule that says nothing',
      roles,
      { rules: [{ verbs: [] }] },
      [
        'rules[0].verbs: Required value: verbs must contain at least one value',
        'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
        'rules[0].resources: Required value: resource rules must supply at least one resource',
      ],
    ],
    [
      'URLs in a namespace',
      roles,
      { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] },
      ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    ],
    [
      'URLs beside resources',
      clusterroles,
      { rules: [{ ...reads, nonResourceURLs: ['/x'] }] },
      [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      ],
    ],
    [
      'an aggregation of nothing',
      clusterroles,
      { aggregationRule: {} },
      [
        'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
      ],
    ],
    [
      'a cluster-wide binding to a Role',
      clusterrolebindings,
      { roleRef: { ...roleRef, kind: 'Role' } },
      ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
    ],
    [
      'a foreign group',
      rolebindings,
      { roleRef: { ...roleRef, apiGroup: 'apps' } },
      [`roleRef.apiGroup: Unsupported value: "apps": supported values: "${rbac}"`],
    ],
    [
      'subjects that name nobody',
      clusterrolebindings,
      {
        roleRef,
        subjects: [
          { kind: 'ServiceAccount', name: 'a' },
          { kind: 'Robot', name: 'b' },
          { kind: 'User', name: '' },
        ],
      },
      [
        'subjects[0].namespace: Required value',
        'subjects[1].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
        'subjects[2].name: Required value',
      ],
    ],
  ])('%s', (_, kind, parts, expected) => {
    expect(problems(kind, parts)).toEqual(expected);
  });

  it('another role than before', () => {
    expect(problems(rolebindings, { roleRef }, { roleRef: { ...roleRef, name: 'edit' } })).toEqual([
      `roleRef: Invalid value: ${JSON.stringify(roleRef)}: cannot change roleRef`,
    ]);
  });
});

describe('bindings', () => {
  const subjects = [
    { kind: 'User', name: 'ada' },
    { kind: 'Group', name: 'ops' },
    { kind: 'ServiceAccount', name: 'bot', namespace: 'n' },
  ];

  it('put users and groups into the group of this API', () => {
    const binding = rolebindings.defaulted(accepted(rolebindings, { roleRef, subjects }));
    expect(binding.subjects?.map(({ apiGroup }) => apiGroup)).toEqual([rbac, rbac, undefined]);
    expect(rolebindings.defaulted(binding)).toBe(binding);
  });

  it('show whom they bind to what', () => {
    const now = Date.parse('2025-01-01T00:01:40Z');
    expect(tableRow(rolebindings, { roleRef, subjects }, now)).toBe(
      'Name=a Role=ClusterRole/view Age=100s | Users=ada Groups=ops ServiceAccounts=n/bot',
    );
    expect(tableRow(clusterroles, {}, now)).toBe('Name=a Created At=2025-01-01T00:00:00Z');
  });
});
