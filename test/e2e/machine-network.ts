// The network of a test's machine: a namespace with one device, an address and a default route, and nobody else on the
// wire. What a program does to the firewall there, it does to nobody else.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entering, must } from './command.js';

export interface MachineNetwork {
  readonly namespace: string;
  /** Leads from a port of the test's own loopback to one of the machine's; the port. */
  forward(port: number): Promise<number>;
  end(): Promise<void>;
}

export const machineAddress = '192.168.77.10';

/** Stands in the namespace: sockets with a path are the same everywhere. */
const relay = `
const [path, port] = process.argv.slice(1);
const net = require('net');
net.createServer((near) => {
  const far = net.connect(Number(port), '127.0.0.1');
  for (const [from, to] of [[near, far], [far, near]]) { from.on('error', () => to.destroy()); from.pipe(to); }
}).listen(path, () => console.log('ready'));`;

export const startMachineNetwork = async (): Promise<MachineNetwork> => {
  const namespace = `cape-${randomBytes(4).toString('hex')}`;
  const children: ChildProcess[] = [];
  const servers: Server[] = [];
  const ip = (...args: readonly string[]): Promise<string> => must('ip', ['-n', namespace, ...args]);
  await must('ip', ['netns', 'add', namespace]);

  const end = async (): Promise<void> => {
    for (const child of children) child.kill('SIGKILL');
    for (const server of servers) server.close();
    await must('ip', ['netns', 'del', namespace]);
  };
  const forward = async (port: number): Promise<number> => {
    const path = join(tmpdir(), `${namespace}-${String(port)}.sock`);
    await rm(path, { force: true });
    const [enter = '', ...first] = entering(namespace);
    const args = [...first, process.execPath, '-e', relay, '--', path, String(port)];
    const child = spawn(enter, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    const server = createServer((near) => {
      const far = connect(path);
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
      near.pipe(far).pipe(near);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };

  try {
    await ip('link', 'set', 'lo', 'up');
    await ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'wire');
    await ip('addr', 'add', `${machineAddress}/24`, 'dev', 'eth0');
    await ip('link', 'set', 'eth0', 'up');
    await ip('link', 'set', 'wire', 'up');
    await ip('route', 'add', 'default', 'via', '192.168.77.1', 'dev', 'eth0');
    // Nobody answers behind the router: names that only the world knows fail at once rather than after a timeout.
    const resolvers = (await readFile('/etc/resolv.conf', 'utf8')).match(/(?<=^nameserver )\d+\.\S+$/gm);
    for (const resolver of resolvers ?? []) await ip('route', 'replace', 'unreachable', resolver);
    return { namespace, forward, end };
  } catch (error) {
    await end();
    throw error;
  }
};
