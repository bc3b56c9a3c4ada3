// Hosts and pods as network namespaces: a switch, hosts on it, and on each host a bridge with pods behind it. Everything
// is in namespaces that the lab makes and removes.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createCommands, type Commands } from '../../src/host/datapath/commands.js';

const execute = promisify(execFile);

export const podCidr = '10.244.0.0/16';
export const serviceCidr = '10.96.0.0/16';
export const hostAddress = (host: number): string => `10.77.0.${host}`;
export const subnet = (host: number): string => `10.244.${host}.0/24`;
export const podAddress = (host: number, pod: number): string => `10.244.${host}.${pod + 1}`;

/** What came back, or which error, and how often. */
export type Answers = Readonly<Record<string, number>>;

export interface Lab {
  readonly hosts: number;
  host(host: number): string;
  pod(host: number, pod: number): string;
  commands(host: number): Commands;
  run(namespace: string, program: string, ...args: readonly string[]): Promise<string>;
  /** Answers TCP and UDP at the port with its name, until the lab ends. */
  serve(namespace: string, name: string, port: number): Promise<ChildProcess>;
  /** `from` binds the client's address. Each answer is `NAME CLIENT-ADDRESS`. */
  ask(
    namespace: string,
    target: { address: string; port: number; times?: number; from?: string },
  ): Promise<Answers>;
  /** One datagram of `size` bytes: what came back ('' for nothing), and into how many fragments it was cut. */
  datagram(
    namespace: string,
    target: { address: string; port: number; size: number },
  ): Promise<{ readonly answer: string; readonly fragments: number }>;
  end(): Promise<void>;
}

const server = `
const [name, port] = process.argv.slice(1);
require('net').createServer((socket) => {
  socket.on('error', () => undefined);
  socket.end(name + ' ' + socket.remoteAddress.replace('::ffff:', ''));
}).listen({ port: Number(port), host: '0.0.0.0', backlog: 2000 }, () => {
  const udp = require('dgram').createSocket('udp4');
  udp.on('message', (_, peer) => udp.send(name + ' ' + peer.address, peer.port, peer.address));
  udp.bind(Number(port), '0.0.0.0', () => console.log('ready'));
});`;

const client = `
const [address, port, times, from] = process.argv.slice(1);
const answers = {};
const count = (answer) => { answers[answer] = (answers[answer] ?? 0) + 1; };
const one = () => new Promise((resolve) => {
  let text = '';
  const socket = require('net').connect({ host: address, port: Number(port), ...(from ? { localAddress: from } : {}) });
  socket.setTimeout(2500, () => { text = 'ETIMEDOUT'; socket.destroy(); });
  socket.on('data', (data) => { text += data; });
  socket.on('error', (error) => { text = error.code; });
  socket.on('close', () => { count(text); resolve(); });
});
(async () => {
  let left = Number(times);
  const worker = async () => { while (left > 0) { left -= 1; await one(); } };
  await Promise.all(Array.from({ length: 8 }, worker));
  console.log(JSON.stringify(answers));
})();`;

/** Sends one datagram of `size` bytes; the answer, or '' after a second and a half. */
const datagram = `
const [address, port, size] = process.argv.slice(1);
const socket = require('dgram').createSocket('udp4');
const end = (answer) => { console.log(answer); process.exit(0); };
socket.on('message', (data) => end(String(data)));
socket.on('error', (error) => end(error.code));
setTimeout(end, 1500, '');
socket.send(Buffer.alloc(Number(size)), Number(port), address);`;

export const startLab = async (hosts: number, pods: number): Promise<Lab> => {
  const id = `cn${process.pid.toString(36)}`;
  const host = (number: number): string => `${id}-h${number}`;
  const pod = (number: number, index: number): string => `${id}-h${number}p${index}`;
  const namespaces: string[] = [];
  const children: ChildProcess[] = [];

  const run = async (namespace: string, program: string, ...args: readonly string[]): Promise<string> =>
    (await execute('ip', ['netns', 'exec', namespace, program, ...args], { maxBuffer: 64 * 1024 * 1024 }))
      .stdout;
  const ip = (namespace: string, line: string): Promise<unknown> =>
    execute('ip', ['-n', namespace, ...line.split(' ')]);
  const add = async (namespace: string): Promise<void> => {
    await execute('ip', ['netns', 'add', namespace]);
    namespaces.push(namespace);
    await ip(namespace, 'link set lo up');
  };

  const end = async (): Promise<void> => {
    for (const child of children) child.kill('SIGKILL');
    for (const namespace of namespaces) {
      await execute('ip', ['netns', 'del', namespace]).catch((error: unknown) => {
        console.error(`namespace ${namespace} stays: ${String(error)}`);
      });
    }
  };

  const addPod = async (number: number, index: number): Promise<void> => {
    const name = pod(number, index);
    await add(name);
    await ip(host(number), `link add veth${index} mtu 1450 type veth peer name eth0 netns ${name}`);
    await ip(host(number), `link set veth${index} master pods up`);
    await ip(name, 'link set eth0 mtu 1450 up');
    await ip(name, `addr add ${podAddress(number, index)}/24 dev eth0`);
    await ip(name, `route add default via 10.244.${number}.1`);
  };

  const addHost = async (number: number): Promise<void> => {
    const name = host(number);
    await add(name);
    await ip(`${id}-sw`, `link add port${number} type veth peer name eth0 netns ${name}`);
    await ip(`${id}-sw`, `link set port${number} master switch up`);
    await ip(name, 'link set eth0 up');
    await ip(name, `addr add ${hostAddress(number)}/24 dev eth0`);
    await ip(name, 'route add default via 10.77.0.254');
    await ip(name, 'link add pods mtu 1450 type bridge');
    await ip(name, 'link set pods up');
    await ip(name, `addr add 10.244.${number}.1/24 dev pods`);
    await run(name, 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0');
    for (let index = 1; index <= pods; index += 1) await addPod(number, index);
  };

  try {
    await add(`${id}-sw`);
    await ip(`${id}-sw`, 'link add switch type bridge');
    await ip(`${id}-sw`, 'link set switch up');
    for (let number = 1; number <= hosts; number += 1) await addHost(number);
  } catch (error) {
    await end();
    throw error;
  }

  const fragmentsMade = async (namespace: string): Promise<number> => {
    const [names = [], values = []] = (await run(namespace, 'cat', '/proc/net/snmp'))
      .split('\n')
      .filter((line) => line.startsWith('Ip:'))
      .map((line) => line.split(' '));
    return Number(values[names.indexOf('FragCreates')]);
  };

  return {
    hosts,
    host,
    pod,
    run,
    end,
    commands: (number) => createCommands(['ip', 'netns', 'exec', host(number)]),
    serve: async (namespace, name, port) => {
      const child = spawn(
        'ip',
        [
          'netns',
          'exec',
          namespace,
          process.execPath,
          '--max-old-space-size=32',
          '-e',
          server,
          '--',
          name,
          `${port}`,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      children.push(child);
      const started = new Promise<void>((resolve, reject) => {
        child.stdout.once('data', () => resolve());
        child.once('exit', () => reject(new Error(`server ${name} ended`)));
      });
      await Promise.race([started, sleep(20_000).then(() => Promise.reject(new Error('server is slow')))]);
      return child;
    },
    datagram: async (namespace, { address, port, size }) => {
      const before = await fragmentsMade(namespace);
      const answer = await run(
        namespace,
        process.execPath,
        '-e',
        datagram,
        '--',
        address,
        `${port}`,
        `${size}`,
      );
      return { answer: answer.trim(), fragments: (await fragmentsMade(namespace)) - before };
    },
    ask: async (namespace, { address, port, times = 1, from = '' }) =>
      JSON.parse(
        await run(namespace, process.execPath, '-e', client, '--', address, `${port}`, `${times}`, from),
      ) as Answers,
  };
};
