// Docker Engine keeps the contract, and what only a real engine can show.
import { readlink } from 'node:fs/promises';
import { describe, expect, it, beforeAll, afterAll } from 'vitest';
import { silent } from '../../src/base/log.js';
import { linkName } from '../../src/host/docker/pod-links.js';
import { networkProber } from '../../src/host/prober.js';
import { createDockerRuntime } from '../../src/host/docker/docker-runtime.js';
import { removeEverything } from '../../src/host/docker/remove-everything.js';
import { label } from '../../src/node/labels.js';
import type { Container, ContainerSpec, Runtime } from '../../src/node/runtime.js';
import { describeRuntime } from '../contract/runtime.js';
import { importBusybox } from './busybox-image.js';
import { startDockerEngine, type DockerEngine } from './docker-engine.js';

const image = 'test/busybox:1';
const signal = new AbortController().signal;

describeRuntime('docker', async () => {
  const engine = await startDockerEngine();
  await importBusybox(engine.host, image);
  const runtime = await createDockerRuntime({
    host: engine.host,
    instance: 'contract',
    node: 'n1',
    log: silent,
  });
  return { runtime, image, network: '10.201.0', close: () => engine.stop() };
});

describe('the runtime on Docker', () => {
  let engine: DockerEngine;
  let runtime: Runtime;

  beforeAll(async () => {
    engine = await startDockerEngine();
    await importBusybox(engine.host, image);
    runtime = await createDockerRuntime({ host: engine.host, instance: 'one', node: 'n1', log: silent });
  });
  afterAll(() => engine.stop());

  const sandbox = (name: string, address: string, subnet = '10.202.0.0/24'): ContainerSpec => ({
    name,
    image: '',
    labels: { [label.kind]: 'sandbox' },
    network: {
      type: 'pod',
      address,
      subnet,
      gateway: subnet.replace('0/24', '1'),
      hostname: 'web-1',
      hostPorts: [],
    },
    environment: {},
    mounts: [],
  });
  const start = async (spec: ContainerSpec): Promise<Container> =>
    runtime.start((await runtime.create(spec, signal)).id, signal);
  const output = async (id: string, command: readonly string[]): Promise<string> => {
    const session = await runtime.exec(id, { command, tty: false }, signal);
    let written = '';
    for await (const { data } of session.output) written += Buffer.from(data).toString();
    return written.trim();
  };
  const app = (name: string, id: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
    name,
    image,
    labels: { [label.kind]: 'container' },
    network: { type: 'join', sandbox: id },
    environment: {},
    mounts: [],
    ...more,
  });

  it('a sandbox has the address that was chosen, and containers in it share address and host name', async () => {
    const { id } = await start(sandbox('chosen', '10.202.0.77'));
    const inside = await start(app('inside', id));
    expect(await output(inside.id, ['/bin/ip', '-4', 'addr', 'show', 'eth0'])).toContain('10.202.0.77/24');
    expect(await output(inside.id, ['/bin/hostname'])).toBe('web-1');
  });

  it('the pause program uses nothing, ends on SIGTERM and reaps orphans', async () => {
    const { id } = await start(sandbox('pausing', '10.202.0.78'));
    const reaped = await start(
      app('orphans', id, {
        shareProcesses: true,
        command: ['/bin/sh', '-c', '(/bin/sleep 0.2 &) ; sleep 1000'],
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(
      await output(reaped.id, ['/bin/sh', '-c', 'grep -l "^State:.Z" /proc/[0-9]*/status || true']),
    ).toBe('');
    await runtime.remove(reaped.id, signal);
    const begin = Date.now();
    const ended = await runtime.stop(id, 10, signal);
    expect(ended.exitCode).toBe(0);
    expect(Date.now() - begin).toBeLessThan(3000);
  });

  it('limits and security reach the container', async () => {
    const { id } = await start(sandbox('limits', '10.202.0.79'));
    const limited = await start(
      app('limited', id, {
        user: '1000:1000',
        readOnlyRoot: true,
        memoryBytes: 32 * 1024 * 1024,
        cpuMillis: 250,
        cpuShares: 102,
        noNewPrivileges: true,
        capabilities: { add: [], drop: ['ALL'] },
      }),
    );
    const inspected = JSON.parse(await engine.docker('inspect', limited.id)) as {
      HostConfig: Record<string, unknown>;
    }[];
    expect(inspected[0]?.HostConfig).toMatchObject({
      Memory: 33554432,
      MemorySwap: 33554432,
      CpuQuota: 25000,
      CpuPeriod: 100000,
      CpuShares: 102,
      ReadonlyRootfs: true,
    });
    expect(await output(limited.id, ['/bin/id', '-u'])).toBe('1000');
    expect(await output(limited.id, ['/bin/sh', '-c', 'touch /x 2>/dev/null || echo refused'])).toBe(
      'refused',
    );
  });

  it('a program that needs more memory than its limit is reported as killed for it', async () => {
    const { id } = await start(sandbox('hungry-sandbox', '10.202.0.80'));
    const hungry = await start(
      app('hungry', id, {
        memoryBytes: 16 * 1024 * 1024,
        command: ['/bin/sh', '-c', 'sleep 0.3; tail /dev/zero'],
      }),
    );
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const found = (await runtime.list(signal)).find((container) => container.id === hungry.id);
      if (found?.state === 'exited') {
        expect(found).toMatchObject({ oomKilled: true, exitCode: 137 });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it was not killed');
  });

  it('a command that does not exist is a start that failed, in the words of the engine', async () => {
    const { id } = await start(sandbox('wrong-sandbox', '10.202.0.81'));
    const created = await runtime.create(app('wrong', id, { command: ['/no/such/program'] }), signal);
    await expect(runtime.start(created.id, signal)).rejects.toThrow(/no\/such\/program/);
    const found = (await runtime.list(signal)).find((container) => container.id === created.id)!;
    expect(found).toMatchObject({ state: 'exited' });
    expect(found.exitCode).toBeGreaterThanOrEqual(126);
    expect(found.error).toMatch(/no\/such\/program/);
  });

  it('a network that vanished is made again for the next sandbox', async () => {
    for (const { id } of await runtime.list(signal)) await runtime.remove(id, signal);
    await engine.docker('network', 'rm', 'capstan-one-n1');
    const created = await runtime.create(sandbox('vanished', '10.202.0.82'), signal).catch(() => undefined);
    const again = await (created === undefined
      ? start(sandbox('vanished', '10.202.0.82'))
      : runtime.start(created.id, signal).catch(async () => {
          await runtime.remove(created.id, signal);
          return start(sandbox('vanished', '10.202.0.82'));
        }));
    expect(again.state).toBe('running');
  });

  it('pods whose network somebody removed are on it again with the next list, at their addresses', async () => {
    const { id } = await start(sandbox('unplugged', '10.202.0.83'));
    await start(app('server', id, { command: ['/bin/httpd', '-f', '-p', '8080', '-h', '/www'] }));
    const probe = { containerId: id, host: '10.202.0.83', port: 8080, timeoutMs: 3000 };
    const http = { scheme: 'HTTP', path: '/index.html', headers: [] } as const;
    const answers = async (): Promise<boolean> =>
      (await networkProber.check({ ...probe, http }, signal)).success;
    const bridge = async (): Promise<string> =>
      readlink(`/sys/class/net/${linkName(id)}/master`).catch(() => 'none');
    expect(await answers()).toBe(true);
    const before = await bridge();
    expect(before).toMatch(/cap-/);
    await engine.docker('network', 'rm', 'capstan-one-n1');
    expect(await bridge()).toBe('none');
    await runtime.list(signal);
    expect(await bridge()).toBe(before);
    expect(await answers()).toBe(true);
  });

  it('a sandbox that was started, and not connected before a crash, is connected by the next process', async () => {
    const created = await runtime.create(sandbox('half', '10.202.0.84'), signal);
    await engine.docker('start', created.id);
    const another = await createDockerRuntime({
      host: engine.host,
      instance: 'one',
      node: 'n1',
      log: silent,
    });
    await another.list(signal);
    const inside = await start(app('in-half', created.id));
    expect(await output(inside.id, ['/bin/ip', '-4', 'addr', 'show', 'eth0'])).toContain('10.202.0.84/24');
    expect(await output(inside.id, ['/bin/ip', 'route'])).toContain('default via 10.202.0.1');
  });

  it('ports of the host lead to a pod', async () => {
    const free = 20_000 + Math.floor(Math.random() * 10_000);
    const spec = sandbox('published', '10.202.0.85');
    const hostPorts = [{ protocol: 'TCP', containerPort: 80, hostPort: free } as const];
    const network = { ...spec.network, type: 'pod', hostPorts } as typeof spec.network;
    const { id } = await start({ ...spec, network });
    const ports = await engine.docker('port', id);
    expect(ports).toContain(`:${free}`);
  });

  it('a node whose pod CIDR changed gets a new network when nothing uses the old one', async () => {
    for (const { id } of await runtime.list(signal)) await runtime.remove(id, signal);
    const moved = await start(sandbox('moved', '10.203.0.9', '10.203.0.0/24'));
    expect(moved.state).toBe('running');
  });

  it('touches nothing of another instance or without labels, and removes everything of its own', async () => {
    await engine.docker('run', '-d', '--name', 'stranger', '--network', 'host', image);
    const other = await createDockerRuntime({ host: engine.host, instance: 'two', node: 'n1', log: silent });
    const theirs = await other.create({ ...sandbox('theirs', '10.204.0.5', '10.204.0.0/24') }, signal);
    expect((await runtime.list(signal)).map(({ name }) => name)).not.toContain('theirs');
    await expect(runtime.create(app('stranger', theirs.id), signal)).rejects.toThrow(/not one of Capstan's/);
    const removed = await removeEverything({ host: engine.host, instance: 'one', log: silent }, signal);
    expect(removed.networks).toBe(1);
    expect((await engine.docker('ps', '-a', '--format', '{{.Names}}')).split('\n').sort()).toEqual([
      'stranger',
      'theirs',
    ]);
    expect(await engine.docker('network', 'ls', '--format', '{{.Name}}')).not.toContain('capstan-one');
  });

  it('an engine that is down is ServiceUnavailable and says what to do; its events end so', async () => {
    const events = runtime.events(signal)[Symbol.asyncIterator]();
    await events.next();
    const next = events.next();
    next.catch(() => undefined);
    await engine.kill('SIGKILL');
    await expect(next).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    await expect(runtime.list(signal)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      message: expect.stringMatching(/start dockerd/) as string,
    });
    await engine.start();
    expect(await runtime.list(signal)).toEqual([]);
  });
});
