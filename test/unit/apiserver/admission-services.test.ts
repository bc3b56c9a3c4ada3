import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressRange, chooseFree, portRange } from '../../../src/apiserver/admission/address-range.js';
import type { ClusterError } from '../../../src/base/errors.js';
import type { Service, ServiceSpec } from '../../../src/resources/generated/types.js';
import { services } from '../../../src/resources/kinds/services.js';
import type { Draft } from '../../../src/resources/resource.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { createRandom, seeds } from '../../contract/random.js';
import { options, setup, turn } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const failure = async (promise: Promise<unknown>): Promise<ClusterError> =>
  (await promise.then(
    () => expect.unreachable('it should have been refused'),
    (error: unknown) => error,
  )) as ClusterError;

describe('an address range', () => {
  it('leaves out the first and the last address of the network', () => {
    const range = addressRange('10.96.0.0/24');
    expect([range.size, range.at(0), range.at(253)]).toEqual([254, '10.96.0.1', '10.96.0.254']);
    expect(['10.96.0.0', '10.96.0.255', '10.97.0.1', 'x'].map((text) => range.indexOf(text))).toEqual(
      Array(4).fill(undefined),
    );
    expect(range.indexOf('10.96.0.7')).toBe(6);
  });

  it.each(['10.96.0.0', '10.96.0.0/31', '10.96.0/24', 'fd00::/64', '10.96.0.0/x'])('refuses %s', (cidr) => {
    expect(() => addressRange(cidr)).toThrow(RangeError);
  });

  it('is used up completely, low addresses last', () => {
    const range = addressRange('10.0.0.0/26');
    const taken = new Set<string>();
    for (let index = 0; index < range.size; index += 1) {
      const chosen = chooseFree(range, `s${String(index)}`, (address) => !taken.has(address))!;
      expect(range.indexOf(chosen)! >= 16 || taken.size >= range.size - 16).toBe(true);
      taken.add(chosen);
    }
    expect(taken.size).toBe(62);
    expect(chooseFree(range, 'one more', (address) => !taken.has(address))).toBeUndefined();
  });

  it('counts ports from the first to the last', () => {
    const range = portRange(30_000, 30_002);
    expect([range.size, range.at(2), range.indexOf('30003'), range.indexOf('29999')]).toEqual([
      3,
      '30002',
      undefined,
      undefined,
    ]);
  });
});

describe('services', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup({ serviceCidr: '10.96.0.0/24' });
  });

  afterEach(() => test.close());

  const draft = (name: string, spec: Partial<ServiceSpec> = {}): Draft => ({
    metadata: { name, namespace: 'default' },
    ...{ spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec } },
  });

  const make = async (name: string, spec: Partial<ServiceSpec> = {}): Promise<Service> =>
    (await test.registry.create(services, draft(name, spec), options)).object as Service;

  const update = async (name: string, spec: Partial<ServiceSpec>): Promise<Service> =>
    (await test.registry.update(services, { name, namespace: 'default' }, draft(name, spec), options))
      .object as Service;

  const drop = (name: string) => test.registry.delete(services, { name, namespace: 'default' }, {}, options);

  it('get a cluster IP of their own, the same one when they are made again', async () => {
    const web = await make('web');
    const db = await make('db');
    expect(web.spec).toMatchObject({ clusterIPs: [web.spec.clusterIP], ipFamilies: ['IPv4'] });
    expect(db.spec.clusterIP).not.toBe(web.spec.clusterIP);
    await drop('web');
    expect((await make('web')).spec.clusterIP).toBe(web.spec.clusterIP);
  });

  it('leave the first address to the API', async () => {
    const { object } = await test.registry.get(services, { name: 'kubernetes', namespace: 'default' });
    expect((object as Service).spec.clusterIP).toBe('10.96.0.1');
  });

  it('may choose an address that is free and in range', async () => {
    expect((await make('dns', { clusterIP: '10.96.0.77' })).spec.clusterIP).toBe('10.96.0.77');
    const taken = await failure(make('other', { clusterIP: '10.96.0.77' }));
    expect(taken.message).toBe(
      'Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: failed to allocate IP 10.96.0.77: provided IP is already allocated',
    );
    const outside = await failure(make('other', { clusterIP: '10.97.0.1' }));
    expect(outside.message).toContain('is not in the valid range 10.96.0.0/24');
  });

  it('get none when headless or external', async () => {
    expect((await make('headless', { clusterIP: 'None' })).spec.clusterIP).toBe('None');
    const external = await make('external', {
      type: 'ExternalName',
      externalName: 'example.com',
      ports: undefined,
      selector: undefined,
    });
    expect(external.spec.clusterIP).toBeUndefined();
  });

  it('get a node port each, for every port, and keep it', async () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ];
    const web = await make('web', { type: 'NodePort', ports });
    const [a, b] = web.spec.ports!.map(({ nodePort }) => nodePort!);
    expect(new Set([a, b]).size).toBe(2);
    for (const port of [a!, b!]) expect(port >= 30_000 && port <= 32_767).toBe(true);
    const swapped = await update('web', { type: 'NodePort', ports: [...ports].reverse() });
    expect(swapped.spec.ports!.map(({ nodePort }) => nodePort)).toEqual([b, a]);
    expect(swapped.spec.clusterIP).toBe(web.spec.clusterIP);
  });

  it('may choose a node port; the same number serves another protocol', async () => {
    await make('web', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] });
    const clash = { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] };
    expect((await failure(make('other', clash))).message).toContain(
      'spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
    );
    await make('udp', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080, protocol: 'UDP' }] });
    const outside = { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] };
    expect((await failure(make('low', outside))).message).toContain(
      'The range of valid ports is 30000-32767',
    );
  });

  it('give back what a refused or deleted Service held', async () => {
    await failure(make('web', { clusterIP: '10.96.0.9', ports: [{ port: 99_999 }] }));
    await make('a', { clusterIP: '10.96.0.9' });
    await drop('a');
    await make('b', { clusterIP: '10.96.0.9' });
    const dry = { ...options, dryRun: true };
    await test.registry.create(services, draft('dry', { clusterIP: '10.96.0.8' }), dry);
    await make('c', { clusterIP: '10.96.0.8' });
  });

  it('say so when the range is full', async () => {
    await test.close();
    test = await setup({ serviceCidr: '10.96.0.0/29' });
    for (let index = 0; index < 5; index += 1) await make(`s${String(index)}`);
    expect((await failure(make('s9'))).message).toContain('10.96.0.0/29 is full');
    await drop('s3');
    await turn();
    await expect(make('s9')).resolves.toBeDefined();
  });

  it('never share an address, when many are made at once and after a restart', async () => {
    await test.close();
    const engine = new MemoryEngine();
    test = await setup({ serviceCidr: '10.96.0.0/24', engine });
    const first = await Promise.all(
      Array.from({ length: 80 }, (_, index) => make(`a${String(index)}`, { type: 'NodePort' })),
    );
    await test.close();
    test = await setup({ serviceCidr: '10.96.0.0/24', engine, seed: 2 });
    const second = await Promise.all(
      Array.from({ length: 80 }, (_, index) => make(`b${String(index)}`, { type: 'NodePort' })),
    );
    const all = [...first, ...second];
    expect(new Set(all.map(({ spec }) => spec.clusterIP)).size).toBe(160);
    expect(new Set(all.map(({ spec }) => spec.ports![0]!.nodePort)).size).toBe(160);
  });

  it.each(seeds([5, 6]))('hold each address once, whatever happens to them (seed %i)', async (seed) => {
    await test.close();
    test = await setup({ serviceCidr: '10.96.0.0/26', seed });
    const random = createRandom(seed);
    const allowed = /^(NotFound|AlreadyExists|Conflict|Invalid)$/;
    const act = async (): Promise<void> => {
      const name = `s${String(random.integer(25))}`;
      const spec: Partial<ServiceSpec> = {
        type: random.pick(['ClusterIP', 'NodePort', 'LoadBalancer']),
        ...(random.chance(0.2) ? { clusterIP: `10.96.0.${String(1 + random.integer(62))}` } : {}),
        ports: [{ port: 80, ...(random.chance(0.2) ? { nodePort: 30_000 + random.integer(10) } : {}) }],
      };
      const step = random.integer(3);
      const done = step === 0 ? make(name, spec) : step === 1 ? update(name, spec) : drop(name);
      await Promise.resolve<unknown>(done).catch((error: unknown) => {
        expect((error as ClusterError).code).toMatch(allowed);
      });
    };
    for (let round = 0; round < 60; round += 1) {
      await Promise.all(Array.from({ length: 1 + random.integer(6) }, act));
      const { items } = await test.registry.list(services, {});
      const specs = items.map(({ object }) => (object as Service).spec);
      const addresses = specs.map(({ clusterIP }) => clusterIP!);
      expect(new Set(addresses).size).toBe(addresses.length);
      const nodePorts = specs.flatMap(({ type, ports }) =>
        type === 'ClusterIP' ? [] : ports!.map(({ nodePort }) => nodePort),
      );
      expect(new Set(nodePorts).size).toBe(nodePorts.length);
    }
  });
});
