// What agents may see of other nodes, and when.
import { expect, it } from 'vitest';
import { NodeAuthorizer } from '../../../src/apiserver/authorize/node-authorizer.js';
import type { ResourceAttributes } from '../../../src/apiserver/authorize/attributes.js';
import { networkpolicies } from '../../../src/resources/kinds/networkpolicies.js';
import { options, setup } from './verbs-setup.js';

const wanted: ResourceAttributes = {
  type: 'resource',
  verb: 'list',
  group: '',
  resource: 'pods',
  subresource: '',
  namespace: '',
  name: '',
};

it('agents list all pods while there are network policies to enforce, and only then', async () => {
  const { registry, store, close } = await setup();
  try {
    const authorizer = new NodeAuthorizer(store);
    expect(authorizer.refusal('n1', wanted)).toContain('spec.nodeName');
    const policy = { metadata: { name: 'deny', namespace: 'default' }, spec: { podSelector: {} } };
    await registry.create(networkpolicies, policy, options);
    expect(authorizer.refusal('n1', wanted)).toBeUndefined();
    expect(authorizer.refusal('n1', { ...wanted, resource: 'secrets' })).toBeDefined();
    await registry.delete(networkpolicies, { name: 'deny', namespace: 'default' }, {}, options);
    expect(authorizer.refusal('n1', wanted)).toContain('spec.nodeName');
  } finally {
    await close();
  }
});
