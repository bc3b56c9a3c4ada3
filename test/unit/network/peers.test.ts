import { describe, expect, it } from 'vitest';
import { podNetworkState } from '../../../src/network/peers.js';
import { node } from './fixtures.js';

const n1 = node('n1', { podCIDR: '10.244.0.0/24', address: '10.77.0.1' });
const n2 = node('n2', { podCIDR: '10.244.1.0/24', address: '10.77.0.2' });

describe('peers', () => {
  it('are the other nodes that have a subnet and an address', () => {
    const waiting = node('n3', { address: '10.77.0.3' });
    const unborn = node('n4', { podCIDR: '10.244.3.0/24' });
    expect(podNetworkState([n2, waiting, unborn, n1], 'n1')).toEqual({
      node: { name: 'n1', address: '10.77.0.1', subnet: '10.244.0.0/24' },
      peers: [{ name: 'n2', address: '10.77.0.2', subnet: '10.244.1.0/24' }],
      problems: [],
    });
  });

  it('leave out a node with the address of an older one, and say so', () => {
    const twin = node('twin', {
      podCIDR: '10.244.9.0/24',
      address: '10.77.0.2',
      created: '2026-01-02T00:00:00Z',
    });
    const { peers, problems } = podNetworkState([twin, n1, n2], 'n1');
    expect(peers.map(({ name }) => name)).toEqual(['n2']);
    expect(problems).toEqual(['node twin has the address 10.77.0.2 of node n2: its pods are not reached']);
  });

  it('leave out a node whose subnet overlaps that of an older one, whichever is the wider', () => {
    const wide = node('wide', {
      podCIDR: '10.244.0.0/16',
      address: '10.77.0.9',
      created: '2026-01-02T00:00:00Z',
    });
    const { peers, problems } = podNetworkState([wide, n1, n2], 'n1');
    expect(peers.map(({ name }) => name)).toEqual(['n2']);
    expect(problems[0]).toContain('overlaps 10.244.0.0/24 of node n1');
  });

  it('leave out a node with a subnet that is none', () => {
    const broken = node('broken', { podCIDR: '10.244.1.7/24', address: '10.77.0.7' });
    expect(podNetworkState([n1, broken], 'n1').problems).toEqual([
      'node broken has the pod CIDR 10.244.1.7/24, which is no IPv4 network',
    ]);
  });

  it('are known before the node itself has a subnet', () => {
    const { node: local, peers } = podNetworkState([node('n1'), n2], 'n1');
    expect(local).toBeUndefined();
    expect(peers).toHaveLength(1);
  });
});
