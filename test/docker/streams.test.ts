// exec, attach, cp and port-forward with every kubectl of this machine and the JavaScript client, over a real engine.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { Exec, KubeConfig, PortForward } from '@kubernetes/client-node';
import type { V1Status } from '@kubernetes/client-node';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../../src/base/log.js';
import { createDockerRuntime } from '../../src/host/docker/docker-runtime.js';
import { label } from '../../src/node/labels.js';
import type { Container, ContainerSpec, Runtime } from '../../src/node/runtime.js';
import { importBusybox } from './busybox-image.js';
import { startDockerEngine } from './docker-engine.js';
import type { DockerEngine } from './docker-engine.js';
import { kubectls } from './kubectl-versions.js';
import { startStreamCluster } from './stream-cluster.js';
import type { StreamCluster } from './stream-cluster.js';

const image = 'test/busybox:1';
const signal = new AbortController().signal;
const MiB = 1024 * 1024;

interface Outcome {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const digest = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

const until = async (what: string, done: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> => {
  const end = Date.now() + ms;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`${what} took too long`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

let engine: DockerEngine;
let runtime: Runtime;
let cluster: StreamCluster;

beforeAll(async () => {
  engine = await startDockerEngine();
  await importBusybox(engine.host, image);
  runtime = await createDockerRuntime({ host: engine.host, instance: 'streams', node: 'n1', log: silent });
  cluster = await startStreamCluster(runtime);
  await cluster.addPod('web');
  await cluster.addPod('pending', { bound: false });
  await cluster.addPod('gone');
  const started = async (spec: ContainerSpec): Promise<Container> =>
    runtime.start((await runtime.create(spec, signal)).id, signal);
  const podLabels = { [label.podNamespace]: 'default', [label.podName]: 'web', [label.podUid]: 'uid-1' };
  const sandbox = await started({
    name: 'web-sandbox',
    image: '',
    labels: { ...podLabels, [label.kind]: 'sandbox', [label.address]: '10.203.0.7' },
    network: {
      type: 'pod',
      address: '10.203.0.7',
      subnet: '10.203.0.0/24',
      gateway: '10.203.0.1',
      hostname: 'web',
      hostPorts: [],
    },
    environment: {},
    mounts: [],
  });
  await started({
    name: 'web-app',
    image,
    labels: { ...podLabels, [label.kind]: 'container', [label.container]: 'app' },
    network: { type: 'join', sandbox: sandbox.id },
    command: [
      '/bin/sh',
      '-c',
      'dd if=/dev/urandom of=/www/large bs=1048576 count=50 2>/dev/null; httpd -p 8080 -h /www; ' +
        'while read -r line; do echo "heard $line"; done; sleep 100000',
    ],
    stdin: true,
    environment: { PATH: '/bin' },
    mounts: [],
  });
  const answers = (): Promise<boolean> =>
    inApp('wget', '-q', '-O', '-', 'http://127.0.0.1:8080/index.html').then(
      () => true,
      () => false,
    );
  await until('the start of the web server', answers, 60_000);
});
afterAll(async () => {
  // A start that failed half-way leaves the engine to be ended.
  if ((cluster as StreamCluster | undefined) !== undefined) await cluster.close();
  await engine.stop();
});

const inApp = async (...command: readonly string[]): Promise<string> =>
  engine.docker('exec', 'web-app', ...command);

describe.each(kubectls().map((path) => ({ path, version: path.slice(path.lastIndexOf('/') + 1) })))(
  '$version',
  ({ path }) => {
    const kubectl = (args: readonly string[], input?: Uint8Array): Promise<Outcome> =>
      new Promise((resolve, reject) => {
        const child = execFile(
          path,
          ['--kubeconfig', cluster.kubeconfig, ...args],
          { encoding: 'buffer', maxBuffer: 128 * MiB, timeout: 60_000, env: { HOME: cluster.directory } },
          (error, stdout, stderr) => {
            if (error !== null && typeof error.code !== 'number') reject(error);
            else resolve({ code: Number(error?.code ?? 0), stdout, stderr: stderr.toString() });
          },
        );
        child.stdin?.end(input);
      });

    it('shows what a command writes, on both streams, and its exit code', async () => {
      const { code, stdout, stderr } = await kubectl([
        ...['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'],
      ]);
      expect(stdout.toString()).toBe('out\n');
      expect(stderr).toBe('err\ncommand terminated with exit code 7\n');
      expect(code).toBe(7);
    });

    it('sends its input, and the end of it', async () => {
      const input = randomBytes(3 * MiB);
      const { code, stdout, stderr } = await kubectl(['exec', '-i', 'web', '--', 'cat'], input);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(digest(stdout)).toBe(digest(input));
    });

    it('gets 50 MB of output whole', async () => {
      const { stdout } = await kubectl(['exec', 'web', '--', 'cat', '/www/large']);
      expect(stdout.length).toBe(50 * MiB);
      expect(digest(stdout)).toBe(await sha('/www/large'));
    });

    it('copies a file in and out', async () => {
      const data = randomBytes(5 * MiB);
      const there = join(cluster.directory, 'there');
      const back = join(cluster.directory, 'back');
      writeFileSync(there, data);
      const sent = await kubectl(['cp', there, 'web:/tmp/copied']);
      expect(sent).toMatchObject({ code: 0, stderr: '' });
      const received = await kubectl(['cp', 'web:/tmp/copied', back]);
      expect(received.code).toBe(0);
      expect(digest(readFileSync(back))).toBe(digest(data));
    });

    it('forwards a port: requests, a large download, many at once', async () => {
      const { port, stop } = await forward(path, 'pod/web', 8080);
      try {
        expect((await download(port, '/index.html')).toString()).toBe('hello\n');
        const expected = await sha('/www/large');
        expect(digest(await download(port, '/large'))).toBe(expected);
        const all = await Promise.all(
          Array.from({ length: 8 }, (_, index) => download(port, index % 2 === 0 ? '/index.html' : '/large')),
        );
        expect(all.filter((body) => body.toString('latin1', 0, 6) === 'hello\n')).toHaveLength(4);
        expect(all.filter((body) => digest(body) === expected)).toHaveLength(4);
      } finally {
        await stop();
      }
      await until('the end of the streams', () => cluster.open().server === 0 && cluster.open().agent === 0);
    });

    it('says what is wrong', async () => {
      const exec = async (...args: readonly string[]): Promise<string> => {
        const { code, stderr } = await kubectl(['exec', ...args]);
        expect(code).not.toBe(0);
        return stderr;
      };
      expect(await exec('absent', '--', 'ls')).toContain('pods "absent" not found');
      expect(await exec('pending', '--', 'ls')).toContain('pod pending does not have a host assigned');
      expect(await exec('gone', '--', 'ls')).toContain('container not found ("app")');
      expect(await exec('web', '-c', 'other', '--', 'ls')).toContain('container other');
      // In the engine's words, as the output of the command that it could not start.
      const unknown = await kubectl(['exec', 'web', '--', 'no-such-program']);
      expect(unknown.stdout.toString()).toContain('no-such-program');
      expect(unknown.stderr).toContain('exit code 126');
    });

    it('attaches to the process of the container, which goes on afterwards', async () => {
      const child = spawn(path, ['--kubeconfig', cluster.kubeconfig, 'attach', '-i', 'web'], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      let heard = '';
      child.stdout.on('data', (text: Buffer) => (heard += text.toString()));
      const word = randomBytes(8).toString('hex');
      // What is said before the connection stands is lost on nobody: the client keeps it.
      child.stdin.end(`${word}\n`);
      await until('the answer of the process', () => heard.includes(`heard ${word}\n`));
      child.kill('SIGKILL');
      await until('the end of the streams', () => cluster.open().server === 0 && cluster.open().agent === 0);
      expect(await engine.docker('inspect', '--format', '{{.State.Running}}', 'web-app')).toBe('true');
    });

    it('leaves no command behind when it goes away', async () => {
      const child = spawn(path, ['--kubeconfig', cluster.kubeconfig, 'exec', 'web', '--', 'sleep', '54321'], {
        stdio: 'ignore',
      });
      const sleeping = async (): Promise<boolean> =>
        (await engine.docker('top', 'web-app')).includes('54321');
      await until('the start of the command', sleeping);
      child.kill('SIGKILL');
      await until('the end of the command', async () => !(await sleeping()));
      await until('the end of the streams', () => cluster.open().server === 0 && cluster.open().agent === 0);
    });
  },
);

describe('the JavaScript client', () => {
  const config = (): KubeConfig => {
    const found = new KubeConfig();
    found.loadFromFile(cluster.kubeconfig);
    return found;
  };
  const collected = (): { readonly stream: Writable; readonly text: () => string } => {
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk);
        done();
      },
    });
    return { stream, text: () => Buffer.concat(chunks).toString() };
  };

  it('runs a command with its input, in a terminal of the size it says', async () => {
    const out = collected();
    const input = new PassThrough();
    const ended = new Promise<V1Status>((resolve, reject) => {
      new Exec(config())
        .exec(
          'default',
          'web',
          'app',
          ['sh', '-c', 'read -r l; echo "$l"; stty size; exit 4'],
          out.stream,
          null,
          input,
          true,
          resolve,
        )
        .catch(reject);
    });
    input.write('typed\n');
    const status = await ended;
    expect(status).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode' });
    expect(out.text()).toContain('typed');
  });

  it('forwards a port over channels', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      void new PortForward(config())
        .portForward('default', 'web', [8080], socket, null, socket)
        .then((opened) => {
          if ('once' in opened) opened.once('close', () => socket.destroy());
        });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect((await download(port, '/index.html')).toString()).toBe('hello\n');
    await new Promise((resolve) => server.close(resolve));
    await until('the end of the streams', () => cluster.open().server === 0 && cluster.open().agent === 0);
  });
});

describe('a client that does not read', () => {
  const resident = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().rss;
  };
  /** Waits until nothing moves any more; how much the process has grown by then. */
  const growth = async (before: number): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return resident() - before;
  };

  it('holds a command up, and nothing is kept for it', async () => {
    const before = resident();
    const socket = new WebSocket(
      `wss://127.0.0.1:${cluster.port}/api/v1/namespaces/default/pods/web/exec?container=app&command=cat&command=/www/large&stdout=true`,
      ['v5.channel.k8s.io'],
      cluster.credentials,
    );
    const digests = createHash('sha256');
    let size = 0;
    socket.on('message', (message: Buffer) => {
      if (message[0] !== 1) return;
      digests.update(message.subarray(1));
      size += message.length - 1;
    });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.pause();
    expect(await growth(before)).toBeLessThan(25 * MiB);
    expect(size).toBeLessThan(10 * MiB);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(size).toBe(50 * MiB);
    expect(digests.digest('hex')).toBe(await sha('/www/large'));
  });

  it('holds a forwarded port up, and nothing is kept for it', async () => {
    const { port, stop } = await forward(kubectls().at(-1) ?? '', 'pod/web', 8080);
    try {
      const before = resident();
      const socket = connect({ port, host: '127.0.0.1' });
      socket.write('GET /large HTTP/1.0\r\n\r\n');
      socket.pause();
      expect(await growth(before)).toBeLessThan(25 * MiB);
      let size = 0;
      socket.on('data', (chunk: Buffer) => (size += chunk.length));
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
      expect(size).toBeGreaterThan(50 * MiB);
    } finally {
      await stop();
    }
  });

  it('does not keep a command that it leaves behind', async () => {
    const socket = new WebSocket(
      `wss://127.0.0.1:${cluster.port}/api/v1/namespaces/default/pods/web/exec?container=app&command=yes&stdout=true`,
      ['v5.channel.k8s.io'],
      cluster.credentials,
    );
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.pause();
    const running = async (): Promise<boolean> => /\byes\b/.test(await engine.docker('top', 'web-app'));
    await until('the start of the command', running);
    socket.terminate();
    await until('the end of the command', async () => !(await running()));
    await until('the end of the streams', () => cluster.open().server === 0 && cluster.open().agent === 0);
  });
});

const sha = async (file: string): Promise<string> =>
  (await inApp('/bin/busybox', 'sha256sum', file)).split(' ')[0] ?? '';

const download = (port: number, path: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve(Buffer.concat(chunks)));
      response.once('error', reject);
    });
    request.once('error', reject);
  });

const forward = async (
  path: string,
  target: string,
  port: number,
): Promise<{ readonly port: number; readonly child: ChildProcess; stop(): Promise<void> }> => {
  const child = spawn(
    path,
    ['--kubeconfig', cluster.kubeconfig, 'port-forward', '--address', '127.0.0.1', target, `:${port}`],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { HOME: cluster.directory } },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const shape = /Forwarding from 127\.0\.0\.1:(\d+)/;
  await until('the start of the port-forward', () => {
    if (child.exitCode !== null) throw new Error(`kubectl port-forward ended: ${said}`);
    return shape.test(said);
  });
  return {
    port: Number(shape.exec(said)?.[1]),
    child,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
};
