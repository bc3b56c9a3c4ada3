import { describe, expect, it } from 'vitest';
import { routeOf } from '../../../src/apiserver/routes.js';

const resource = (parts: Record<string, unknown>) => ({
  type: 'resource',
  namespace: undefined,
  name: undefined,
  subresource: undefined,
  ...parts,
});
const core = { group: '', version: 'v1' };
const apps = { group: 'apps', version: 'v1' };

describe('a path', () => {
  it.each([
    ['/api', { type: 'core-versions' }],
    ['/api/', { type: 'core-versions' }],
    ['/apis', { type: 'groups' }],
    ['/apis/apps', { type: 'group', group: 'apps' }],
    ['/api/v1', { type: 'group-version', ...core }],
    ['/apis/apps/v1/', { type: 'group-version', ...apps }],
    ['/api/v1/pods', resource({ ...core, plural: 'pods' })],
    ['/api/v1/nodes/n1', resource({ ...core, plural: 'nodes', name: 'n1' })],
    ['/api/v1/nodes/n1/status', resource({ ...core, plural: 'nodes', name: 'n1', subresource: 'status' })],
    ['/api/v1/namespaces', resource({ ...core, plural: 'namespaces' })],
    ['/api/v1/namespaces/shop', resource({ ...core, plural: 'namespaces', name: 'shop' })],
    [
      '/api/v1/namespaces/shop/finalize',
      resource({ ...core, plural: 'namespaces', name: 'shop', subresource: 'finalize' }),
    ],
    ['/api/v1/namespaces/shop/pods', resource({ ...core, plural: 'pods', namespace: 'shop' })],
    [
      '/api/v1/namespaces/shop/pods/web/log',
      resource({ ...core, plural: 'pods', namespace: 'shop', name: 'web', subresource: 'log' }),
    ],
    [
      '/apis/apps/v1/namespaces/shop/deployments/web/scale',
      resource({ ...apps, plural: 'deployments', namespace: 'shop', name: 'web', subresource: 'scale' }),
    ],
    ['/apis/apps/v1/deployments', resource({ ...apps, plural: 'deployments' })],
    ['/version', { type: 'version' }],
    ['/healthz', { type: 'health', endpoint: 'healthz', check: '' }],
    ['/readyz/store', { type: 'health', endpoint: 'readyz', check: 'store' }],
    ['/openapi/v2', { type: 'openapi-v2' }],
    ['/openapi/v3', { type: 'openapi-v3-index' }],
    ['/openapi/v3/api/v1', { type: 'openapi-v3', ...core }],
    ['/openapi/v3/apis/apps/v1', { type: 'openapi-v3', ...apps }],
  ])('%s names its endpoint', (path, route) => {
    expect(routeOf(path)).toEqual(route);
  });

  it.each([
    '/',
    '',
    '/capstan/v1/plan',
    '/openapi/v4',
    '/openapi/v3/apis/apps',
    '/api/v1/pods/a/log/deeper',
    '/api/v1/namespaces/a/pods/b/log/deeper',
  ])('%j names none', (path) => {
    expect(routeOf(path)).toEqual({ type: 'unknown' });
  });
});
