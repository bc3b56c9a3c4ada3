import { describe, expect, it } from 'vitest';
import { checkLines } from '../../../src/cli/commands/network.js';
import { LiveView } from '../../../src/client/live-view.js';
import { networkTargets } from '../../../src/network/network-targets.js';
import type { Node } from '../../../src/resources/generated/types.js';
import { endpointslices } from '../../../src/resources/kinds/endpointslices.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { services } from '../../../src/resources/kinds/services.js';
import { endpoint, node, service, slice } from './fixtures.js';

describe('paths to try', () => {
  const view = new LiveView([nodes, services, endpointslices]);
  for (const number of [1, 2]) {
    const one = node(`n${number}`, { podCIDR: `10.244.${number}.0/24`, address: `10.0.0.${number}` });
    const listening: Node = {
      ...one,
      status: { ...one.status, daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } },
    };
    view.table(nodes).put(listening);
  }
  view.table(services).put(service({}));
  view.table(services).put(service({ clusterIP: '10.96.0.11' }, 'nobody'));
  view.table(endpointslices).put(slice([endpoint('10.244.2.2', 'n2')]));

  it('are the other nodes, the overlay to them, and services that have someone behind them', () => {
    expect(networkTargets(view, 'n1')).toEqual([
      { kind: 'node', to: 'node n2', address: '10.0.0.2', port: 10250 },
      { kind: 'pod-network', to: 'node n2', address: '10.244.2.1', port: 10250 },
      { kind: 'service', to: 'service shop/web', address: '10.96.0.10', port: 80 },
    ]);
  });
});

describe('the report', () => {
  const path = {
    kind: 'pod-network',
    from: 'n1',
    to: 'node n2',
    address: '10.244.2.1',
    port: 10250,
    milliseconds: 1,
  } as const;
  it('is one line when all is well', () => {
    expect(checkLines([path])).toEqual(['1 of 1 paths work.']);
  });
  it('lists what is broken', () => {
    const lines = checkLines([path, { ...path, from: 'n3', problem: 'no answer within 3 s' }]).join('\n');
    expect(lines).toMatch(/n3\s+node n2\s+pod-network\s+10\.244\.2\.1:10250\s+no answer within 3 s/);
    expect(lines).not.toMatch(/n1\s+node n2/);
    expect(lines).toContain('1 of 2 paths work.');
  });
});
