// A Podman service of a test's own, in a temporary folder that shares nothing with the machine's.
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const startMs = 60_000;

export interface PodmanEngine {
  /** `unix:///tmp/…/podman.sock`. */
  readonly host: string;
  /** Runs the podman command against this engine; its standard output. */
  podman(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** As on a machine without systemd and with the first version of cgroups; elsewhere they do no harm. */
const globalArguments = (folder: string): readonly string[] => [
  ...['--root', join(folder, 'data'), '--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'tmp')],
  ...['--cgroup-manager=cgroupfs', '--runtime=runc', '--events-backend=file', '--storage-driver=overlay'],
  ...['--network-config-dir', join(folder, 'networks')],
];

const unmountBelow = async (folder: string): Promise<void> => {
  const mounts = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .sort()
    .reverse();
  for (const path of mounts) await execute('umount', ['-l', path]).catch(() => undefined);
};

const pings = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    get({ socketPath, path: '/_ping', timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));

export const startPodmanEngine = async (): Promise<PodmanEngine> => {
  const folder = await mkdtemp(join(tmpdir(), 'capp-'));
  const host = `unix://${join(folder, 'podman.sock')}`;
  const podman = async (...args: readonly string[]): Promise<string> =>
    (
      await execute('podman', [...globalArguments(folder), ...args], { maxBuffer: 64 * 1024 * 1024 })
    ).stdout.trim();
  const service = spawn('podman', [...globalArguments(folder), 'system', 'service', '--time=0', host], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  service.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-2000);
  });
  const failure = new Promise<never>((_, reject) => {
    service.once('error', (error) =>
      reject(new Error(`podman cannot be started (${error.message}): install Debian's podman, run as root`)),
    );
    service.once('exit', () => reject(new Error(`podman ended before it answered:\n${said}`)));
  });
  failure.catch(() => undefined);
  const answers = async (): Promise<void> => {
    const end = Date.now() + startMs;
    for (;;) {
      if (await pings(join(folder, 'podman.sock'))) return;
      if (Date.now() > end) throw new Error('podman did not answer within 60 s');
      await sleep(50);
    }
  };
  await Promise.race([answers(), failure]);
  const stop = async (): Promise<void> => {
    // What joined another container goes before it: the order takes more than one attempt.
    for (let left = 3; left > 0; left -= 1) {
      const removed = await podman('rm', '-af', '-t', '0').catch(() => undefined);
      if (removed !== undefined) break;
    }
    service.kill('SIGTERM');
    await ended(service);
    await unmountBelow(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  return { host, podman, stop };
};
