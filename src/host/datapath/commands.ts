// The programs of the datapath (nft, ip, bridge, sysctl, conntrack, iptables) as child processes.
import { spawn } from 'node:child_process';
import { ClusterError } from '../../base/errors.js';

const timeoutMs = 30_000;
const packages: Readonly<Record<string, string>> = {
  nft: 'nftables',
  ip: 'iproute2',
  bridge: 'iproute2',
  sysctl: 'procps',
  conntrack: 'conntrack',
  iptables: 'iptables',
  busybox: 'busybox-static',
};

export interface CommandResult {
  /** 0 for success. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Commands {
  /** Standard output. Throws ServiceUnavailable with what the program said; NotFound when it is not installed. */
  run(program: string, args: readonly string[], options: RunOptions): Promise<string>;
  /** Like `run`, for programs whose failure is an answer. */
  ask(program: string, args: readonly string[], options: RunOptions): Promise<CommandResult>;
}

export interface RunOptions {
  readonly input?: string | undefined;
  readonly signal: AbortSignal;
}

const missing = (program: string, cause: unknown): ClusterError =>
  new ClusterError(
    'NotFound',
    `${program} is not installed on this node: apt-get install ${packages[program] ?? program}`,
    { cause },
  );

/** `prefix` goes before each command: `ip netns exec NAME` makes it work in another network namespace. */
export const createCommands = (prefix: readonly string[] = []): Commands => {
  const ask: Commands['ask'] = (program, args, { input, signal }) =>
    new Promise((resolve, reject) => {
      const [first = program, ...rest] = [...prefix, program, ...args];
      const child = spawn(first, rest, {
        // Not every root's shell looks there.
        env: { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
        stdio: ['pipe', 'pipe', 'pipe'],
        signal,
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      child.on('error', (error: NodeJS.ErrnoException) => {
        if (signal.aborted) reject(signal.reason as Error);
        else if (error.code === 'ENOENT') reject(missing(program, error));
        else reject(error);
      });
      child.on('close', (code) => {
        const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8');
        if (code !== null) resolve({ code, stdout: text(stdout), stderr: text(stderr) });
        else
          reject(
            new ClusterError(
              'ServiceUnavailable',
              `${program} did not end within ${String(timeoutMs / 1_000)} s`,
            ),
          );
      });
      // A program that ends before it has read everything says why on its standard error.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input ?? '');
    });

  return {
    ask,
    run: async (program, args, options) => {
      const { code, stdout, stderr } = await ask(program, args, options);
      if (code === 0) return stdout;
      const why = stderr.trim().split('\n').slice(0, 3).join(' ');
      throw new ClusterError('ServiceUnavailable', `${program} ${args.join(' ')} failed: ${why}`);
    },
  };
};
