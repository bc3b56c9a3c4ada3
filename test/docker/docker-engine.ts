// A container engine of a test's own: dockerd in a temporary folder that shares nothing with the machine's engine.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const startMs = 60_000;

export interface DockerEngine {
  /** `unix:///tmp/…/docker.sock`, as `DOCKER_HOST` takes it. */
  readonly host: string;
  readonly socketPath: string;
  readonly folder: string;
  /** Runs the docker command against this engine; its standard output. */
  docker(...args: readonly string[]): Promise<string>;
  /** Ends the daemon and leaves containers as `--live-restore` does; `signal` is SIGKILL for a crash. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts the daemon again after `kill`. */
  start(): Promise<void>;
  /** Removes containers, networks, the daemon and its folder. */
  stop(): Promise<void>;
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const until = async (what: string, done: () => Promise<boolean> | boolean, ms = startMs): Promise<void> => {
  const end = Date.now() + ms;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`${what} took more than ${ms / 1000} s`);
    await sleep(50);
  }
};

/**
 * A default bridge of its own and no rules, so that it and the machine's engine leave each other alone: with
 * `--bridge=none` it would take the machine's docker0 away.
 */
const argumentsFor = (folder: string, bridge: string, liveRestore: boolean): readonly string[] => [
  ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
  ...['--pidfile', join(folder, 'docker.pid'), '-H', `unix://${join(folder, 'docker.sock')}`],
  ...['--cgroup-parent', `/${folder.split('/').at(-1) ?? 'capstan-test'}`],
  ...[
    `--bridge=${bridge}`,
    '--iptables=false',
    '--ip6tables=false',
    '--ip-masq=false',
    '--userland-proxy=false',
  ],
  ...['--storage-driver', 'overlay2', '--shutdown-timeout', '2'],
  ...(liveRestore ? ['--live-restore'] : []),
];

const ip = async (namespace: string | undefined, ...args: readonly string[]): Promise<void> => {
  await execute('ip', [...(namespace === undefined ? [] : ['-n', namespace]), ...args], {
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
};

const makeBridge = async (name: string, namespace: string | undefined): Promise<void> => {
  const [a = 0, b = 0] = randomBytes(2);
  await ip(namespace, 'link', 'add', name, 'type', 'bridge');
  await ip(namespace, 'address', 'add', `10.${128 + (a % 64)}.${b}.1/24`, 'dev', name);
  await ip(namespace, 'link', 'set', name, 'up');
};

const unmountBelow = async (folder: string): Promise<void> => {
  const mounts = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .sort()
    .reverse();
  for (const path of mounts) await execute('umount', ['-l', path]).catch(() => undefined);
};

/** Fails with what is missing when there is no dockerd, or when it does not come up (with the end of its log). */
export const startDockerEngine = async (
  options: {
    readonly liveRestore?: boolean;
    /** Network namespace that is the engine's machine; this machine's own when absent. */
    readonly namespace?: string | undefined;
  } = {},
): Promise<DockerEngine> => {
  const { namespace } = options;
  const folder = await mkdtemp(join(tmpdir(), 'capd-'));
  const socketPath = join(folder, 'docker.sock');
  const host = `unix://${socketPath}`;
  const bridge = `capb-${folder.slice(-6)}`;
  await makeBridge(bridge, namespace);
  let pid: number | undefined;

  const docker = async (...args: readonly string[]): Promise<string> =>
    (await execute('docker', ['-H', host, ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout.trim();

  const launch = async (): Promise<void> => {
    await rm(join(folder, 'docker.pid'), { force: true });
    const log = await open(join(folder, 'dockerd.log'), 'a');
    try {
      const entering = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--'];
      const [program = 'dockerd', ...args] = [
        ...[...entering, 'dockerd'],
        ...argumentsFor(folder, bridge, options.liveRestore ?? true),
      ];
      const child = spawn(program, args, {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
      });
      const failure = new Promise<never>((_, reject) => {
        child.once('error', (error) => {
          reject(
            new Error(
              `dockerd cannot be started (${error.message}): install Debian's docker.io, run as root`,
            ),
          );
        });
        child.once('exit', () => {
          void readFile(join(folder, 'dockerd.log'), 'utf8').then((text) => {
            reject(new Error(`dockerd ended before it answered:\n${text.slice(-2000)}`));
          });
        });
      });
      failure.catch(() => undefined);
      child.unref();
      pid = child.pid;
      const answers = until('the start of dockerd', () =>
        docker('version').then(
          () => true,
          () => false,
        ),
      );
      await Promise.race([answers, failure]);
    } finally {
      await log.close();
    }
  };

  const start = async (): Promise<void> => {
    // A daemon that starts right after a crash fails once in a while; whoever supervises it starts it again.
    try {
      await launch();
    } catch {
      await sleep(500);
      await launch();
    }
  };

  const kill = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const victim = pid;
    if (victim === undefined) return;
    pid = undefined;
    if (isRunning(victim)) process.kill(victim, signal);
    await until('the end of dockerd', () => !isRunning(victim), 30_000);
  };

  const stop = async (): Promise<void> => {
    if (pid === undefined || !isRunning(pid)) await start();
    const containers = (await docker('ps', '-aq')).split('\n').filter((id) => id !== '');
    if (containers.length > 0) await docker('rm', '-f', ...containers);
    await docker('network', 'prune', '-f');
    await kill('SIGTERM');
    await ip(namespace, 'link', 'delete', bridge);
    await unmountBelow(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };

  await start();
  return { host, socketPath, folder, docker, kill, start, stop };
};
