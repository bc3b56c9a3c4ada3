// Pods of two hosts reach each other through each backend: real packets of the largest size, with their own addresses.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHostGateway } from '../../src/host/datapath/host-gw.js';
import { createVxlan } from '../../src/host/datapath/vxlan.js';
import type { PodNetworkBackend } from '../../src/network/pod-network.js';
import { hostAddress, podAddress, podCidr, startLab, subnet, type Lab } from './network-lab.js';

const signal = new AbortController().signal;
const device = 'capvx';

let lab: Lab;

const make: Readonly<Record<string, (host: number) => PodNetworkBackend>> = {
  vxlan: (host) => createVxlan({ commands: lab.commands(host), device, vni: 1, port: 8472, podCidr }),
  'host-gw': (host) => createHostGateway({ commands: lab.commands(host), device, podCidr }),
};

const peer = (host: number, address = hostAddress(host)) => ({
  name: `h${host}`,
  address,
  subnet: subnet(host),
});
const connect = async (backends: ReadonlyMap<number, PodNetworkBackend>): Promise<void> => {
  for (const [host, backend] of backends) await backend.apply(peer(host), [peer(3 - host)], signal);
};
const both = (name: string): ReadonlyMap<number, PodNetworkBackend> =>
  new Map([1, 2].map((host) => [host, make[name]!(host)]));

const send = (size: number): ReturnType<Lab['datagram']> =>
  lab.datagram(lab.pod(1, 1), { address: podAddress(2, 1), port: 8080, size });
const isReached = async (): Promise<boolean> => (await send(100)).answer !== '';

beforeAll(async () => {
  lab = await startLab(2, 1);
  for (const host of [1, 2]) await lab.run(lab.host(host), 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await lab.serve(lab.pod(2, 1), 'far', 8080);
}, 60_000);

afterAll(async () => {
  await lab.end();
});

describe.each(['vxlan', 'host-gw', 'vxlan'])('through %s, whatever was there before', (name) => {
  it('the largest packet passes in one piece and pods see each other', async () => {
    const backends = both(name);
    await connect(backends);
    const mtu = await backends.get(1)!.mtu(hostAddress(1), signal);
    expect(mtu).toBe(name === 'vxlan' ? 1450 : 1500);
    // The pods' own devices hold 1450 bytes, 28 of them headers.
    const answer = `far ${podAddress(1, 1)}`;
    expect(await send(1450 - 28)).toEqual({ answer, fragments: 0 });
    expect(await send(1450 - 27)).toEqual({ answer, fragments: 2 });
    expect(await lab.ask(lab.pod(1, 1), { address: podAddress(2, 1), port: 8080, times: 5 })).toEqual({
      [`far ${podAddress(1, 1)}`]: 5,
    });
    expect(Object.keys(await lab.ask(lab.host(1), { address: podAddress(2, 1), port: 8080 }))[0]).toContain(
      'far',
    );
  });

  it('a peer that leaves is forgotten, one that comes back with another address is found', async () => {
    const backend = make[name]!(1);
    await backend.apply(peer(1), [], signal);
    expect(await isReached()).toBe(false);
    await backend.apply(peer(1), [peer(2, '10.77.0.99')], signal);
    expect(await isReached()).toBe(false);
    await backend.apply(peer(1), [peer(2)], signal);
    expect(await isReached()).toBe(true);
  });

  it('what others removed is seen and put back', async () => {
    const backend = make[name]!(1);
    await backend.apply(peer(1), [peer(2)], signal);
    expect(await backend.check(signal)).toBe(true);
    if (name === 'vxlan') await lab.run(lab.host(1), 'ip', 'link', 'del', device);
    else await lab.run(lab.host(1), 'ip', 'route', 'del', subnet(2));
    expect(await backend.check(signal)).toBe(false);
    await backend.apply(peer(1), [peer(2)], signal);
    expect(await backend.check(signal)).toBe(true);
    expect(await isReached()).toBe(true);
  });

  it('what a dead process left of other peers is cleaned up, and foreign routes stay', async () => {
    await make[name]!(1).apply(
      peer(1),
      [peer(2), { name: 'gone', address: '10.77.0.9', subnet: subnet(9) }],
      signal,
    );
    await lab.run(lab.host(1), 'ip', 'route', 'replace', '10.99.0.0/24', 'via', '10.77.0.2');
    await make[name]!(1).apply(peer(1), [peer(2)], signal);
    const routes = await lab.run(lab.host(1), 'ip', 'route');
    expect(routes).not.toContain(subnet(9));
    expect(routes).toContain('10.99.0.0/24');
    expect(await isReached()).toBe(true);
  });
});

it('a node address that no device has is an error that names the setting', async () => {
  const lost = { name: 'h1', address: '10.77.0.77', subnet: subnet(1) };
  await expect(make['vxlan']!(1).apply(lost, [], signal)).rejects.toThrow('--advertise-address');
});
