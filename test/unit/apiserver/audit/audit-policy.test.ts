import { describe, expect, it } from 'vitest';
import { defaultPolicy } from '../../../../src/apiserver/audit/default-policy.js';
import { parsePolicy, recordedOf } from '../../../../src/apiserver/audit/policy.js';
import type { Attributes } from '../../../../src/apiserver/authorize/attributes.js';

const anna = { user: 'anna', groups: ['people', 'system:authenticated'] };
const agent = { user: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };

const resource = (verb: string, path: string, namespace = 'shop'): Attributes => {
  const [group = '', plural = '', subresource = ''] = path.split('/');
  return { type: 'resource', verb, group, resource: plural, subresource, namespace, name: 'x' };
};
const at = (path: string): Attributes => ({ type: 'path', verb: 'get', path });

const policy = (...rules: readonly unknown[]) =>
  parsePolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules });

describe('an audit policy', () => {
  it.each([
    [{ users: ['anna'] }, true],
    [{ users: ['ben'] }, false],
    [{ userGroups: ['people'] }, true],
    [{ userGroups: ['system:nodes'] }, false],
    [{ verbs: ['get', 'update'] }, true],
    [{ verbs: ['create'] }, false],
    [{ namespaces: ['shop'] }, true],
    [{ namespaces: ['web'] }, false],
    [{ nonResourceURLs: ['*'] }, false],
    [{ resources: [{ group: '' }] }, true],
    [{ resources: [{ group: 'apps' }] }, false],
    [{ resources: [{ group: '', resources: ['pods'] }] }, false],
    [{ resources: [{ group: '', resources: ['pods/log'] }] }, true],
    [{ resources: [{ group: '', resources: ['pods/*'] }] }, true],
    [{ resources: [{ group: '', resources: ['*/log'] }] }, true],
    [{ resources: [{ group: '', resources: ['*/exec'] }] }, false],
    [{ resources: [{ group: '', resourceNames: ['x'] }] }, true],
    [{ resources: [{ group: '', resourceNames: ['y'] }] }, false],
  ])("%j fits a read of a pod's log: %s", (rule, fits) => {
    const { level } = recordedOf(policy({ level: 'Metadata', ...rule }), anna, resource('get', '/pods/log'));
    expect(level === 'Metadata').toBe(fits);
  });

  it('takes the first rule that fits, and records nothing without one', () => {
    const rules = policy({ level: 'None', users: ['anna'] }, { level: 'Request', verbs: ['create'] });
    expect(recordedOf(rules, anna, resource('create', '/pods')).level).toBe('None');
    expect(recordedOf(rules, agent, resource('create', '/pods')).level).toBe('Request');
    expect(recordedOf(rules, agent, resource('get', '/pods')).level).toBe('None');
  });

  it('leaves out stages for all rules and for one', () => {
    const { rules } = parsePolicy({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'Metadata', omitStages: ['ResponseStarted'] }],
    });
    expect(rules[0]?.omitStages).toEqual(['RequestReceived', 'ResponseStarted']);
  });

  it.each([
    [{}, 'apiVersion audit.k8s.io/v1 and kind Policy'],
    [
      { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [] },
      'rules: must be a list of one rule or more',
    ],
    [
      { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'All' }] },
      'rules[0].level: "All" is none of None, Metadata',
    ],
    [
      { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None', user: ['x'] }] },
      'rules[0].user: unknown field',
    ],
    [
      { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None', verbs: 'get' }] },
      'rules[0].verbs: must be a list of strings',
    ],
    [
      { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None', omitStages: ['Done'] }] },
      'none of RequestReceived',
    ],
    [
      {
        apiVersion: 'audit.k8s.io/v1',
        kind: 'Policy',
        rules: [{ level: 'None', namespaces: ['a'], nonResourceURLs: ['/x'] }],
      },
      'not both',
    ],
  ])('%j is refused: %s', (value, message) => {
    expect(() => parsePolicy(value)).toThrow(message);
  });
});

describe('the default policy', () => {
  it.each([
    ['a person writes', anna, resource('create', '/configmaps'), 'Metadata'],
    ['a person reads', anna, resource('list', 'apps/deployments'), 'Metadata'],
    ['an agent reads a Secret', agent, resource('get', '/secrets'), 'Metadata'],
    ['an agent watches pods', agent, resource('watch', '/pods'), 'None'],
    ['an agent renews its lease', agent, resource('update', 'coordination.k8s.io/leases'), 'None'],
    ['an agent says how a pod is', agent, resource('patch', '/pods/status'), 'None'],
    ['an agent deletes a pod', agent, resource('delete', '/pods'), 'Metadata'],
    ['anyone asks whether the server is well', anna, at('/readyz'), 'None'],
    ['anyone looks around', anna, at('/apis/apps/v1'), 'None'],
    [
      'Capstan is told to rotate its key',
      anna,
      { type: 'path', verb: 'create', path: '/capstan/v1/rotate-key' } as const,
      'Metadata',
    ],
  ])('%s', (_, identity, wanted, level) => {
    expect(recordedOf(defaultPolicy, identity, wanted).level).toBe(level);
  });
});
