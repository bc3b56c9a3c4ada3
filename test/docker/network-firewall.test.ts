// A machine whose firewall forwards nothing by default, as Docker leaves it: pods get through, nothing else changes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseTaken } from '../../src/host/datapath/claims.js';
import { createForwarding } from '../../src/host/datapath/forwarding.js';
import { createVxlan, vniOf } from '../../src/host/datapath/vxlan.js';
import { hostAddress, podAddress, podCidr, serviceCidr, startLab, subnet, type Lab } from './network-lab.js';

const signal = new AbortController().signal;
const chain = 'CAPSTAN-test';
let lab: Lab;

const rules = async (host: number): Promise<readonly string[]> =>
  (await lab.run(lab.host(host), 'iptables', '-S')).trim().split('\n');
const reach = async (): Promise<boolean> => {
  const answers = await lab.ask(lab.pod(1, 1), { address: podAddress(2, 1), port: 8080 });
  return Object.keys(answers)[0]?.startsWith('far') === true;
};

beforeAll(async () => {
  lab = await startLab(2, 1);
  for (const host of [1, 2]) {
    const commands = lab.commands(host);
    await lab.run(lab.host(host), 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await createVxlan({ commands, device: 'capvx', vni: vniOf(podCidr), port: 8472, podCidr }).apply(
      { name: `h${host}`, address: hostAddress(host), subnet: subnet(host) },
      [{ name: 'peer', address: hostAddress(3 - host), subnet: subnet(3 - host) }],
      signal,
    );
  }
  await lab.serve(lab.pod(2, 1), 'far', 8080);
}, 60_000);
afterAll(async () => {
  await lab.end();
});

describe('forwarding', () => {
  it('writes nothing where everything is forwarded anyway', async () => {
    const forwarding = createForwarding(lab.commands(1), chain);
    await forwarding.apply(podCidr, signal);
    expect(await rules(1)).toEqual(['-P INPUT ACCEPT', '-P FORWARD ACCEPT', '-P OUTPUT ACCEPT']);
    expect(await reach()).toBe(true);
  });

  it.each([
    ['a policy that drops', [['-P', 'FORWARD', 'DROP']]],
    [
      "Docker's chains",
      [
        ['-P', 'FORWARD', 'DROP'],
        ['-N', 'DOCKER-USER'],
        ['-A', 'DOCKER-USER', '-j', 'RETURN'],
        ['-A', 'FORWARD', '-j', 'DOCKER-USER'],
      ],
    ],
  ])('lets pods pass beside %s, repairs that, and takes only its own away', async (_, setup) => {
    for (const host of [1, 2]) for (const rule of setup) await lab.run(lab.host(host), 'iptables', ...rule);
    const before = await rules(1);
    expect(await reach()).toBe(false);
    const both = [1, 2].map((host) => createForwarding(lab.commands(host), chain));
    for (const one of both) {
      expect(await one.check(podCidr, signal)).toBe(false);
      await one.apply(podCidr, signal);
      expect(await one.check(podCidr, signal)).toBe(true);
    }
    expect(await reach()).toBe(true);
    await lab.run(lab.host(1), 'iptables', '-F', chain);
    expect(await both[0]!.check(podCidr, signal)).toBe(false);
    await both[0]!.apply(podCidr, signal);
    expect(await both[0]!.check(podCidr, signal)).toBe(true);
    for (const one of both) await one.remove(signal);
    expect(await rules(1)).toEqual(before);
    expect(await reach()).toBe(false);
    for (const host of [1, 2]) {
      await lab.run(lab.host(host), 'iptables', '-P', 'FORWARD', 'ACCEPT');
      await lab.run(lab.host(host), 'iptables', '-F');
      await lab.run(lab.host(host), 'iptables', '-X');
    }
  });
});

describe('addresses that the machine uses already', () => {
  const check = (ranges: { readonly podCidr: string; readonly serviceCidr: string }, ...devices: string[]) =>
    refuseTaken(lab.commands(1), { ...ranges, table: 'capstan-mine', devices }, signal);

  it('are refused by the name of the flag', async () => {
    await expect(check({ podCidr, serviceCidr })).rejects.toThrow(
      /^--pod-cidr 10.244.0.0\/16 overlaps .*device pods/,
    );
    await expect(check({ podCidr: '10.50.0.0/16', serviceCidr: '10.77.0.0/16' })).rejects.toThrow(
      /^--service-cidr 10.77.0.0\/16 overlaps 10.77.0.0\/24 of device eth0: choose another network with --service-cidr/,
    );
    await expect(check({ podCidr: '10.50.0.0/16', serviceCidr: '10.50.4.0/24' })).rejects.toThrow(
      /overlaps --pod-cidr/,
    );
  });

  it('are its own when its own devices have them', async () => {
    await expect(check({ podCidr, serviceCidr }, 'pods', 'capvx')).resolves.toBeUndefined();
  });
});
