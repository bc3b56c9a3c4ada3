// HAProxy as a process of its own: checked before it is told, reloaded without a lost connection, and left running when
// this process ends, as containers are.
import { execFile, spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from '../../base/errors.js';
import { writeFileAtomically, readOptionalFile } from '../files.js';
import type { Logger } from '../../base/log.js';
import type { ProxyConfig } from '../../network/layer7/haproxy-config.js';
import type { Layer7Proxy, Refusal } from '../../network/layer7/layer7-agent.js';
import type { Routing } from '../../network/layer7/routing.js';

export interface HaproxyOptions {
  /** Of its own. */
  readonly folder: string;
  configOf(routing: Routing): ProxyConfig;
  /** Network namespace and the like: goes before the program. */
  readonly prefix?: readonly string[] | undefined;
  readonly log: Logger;
}

const mostRefusals = 50;
const startMs = 3_000;

const missing = new ClusterError(
  'NotFound',
  'haproxy is not installed on this node, so no Ingress and no Gateway is served from here: apt-get install haproxy',
);

/** Rejects when the program is not there; otherwise its exit code and what it said. */
const execute = (
  [program = '', ...args]: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly said: string }> =>
  new Promise((resolve, reject) => {
    execFile(program, args, { signal, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (error?.code === 'ENOENT') reject(missing);
      else resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: `${stdout}${stderr}` });
    });
  });

/** HAProxy's words without times, pids and file names. */
const wordsOf = (said: string): string =>
  (said.split('\n').find((line) => line.includes('[ALERT]') && !line.includes('Error(s) found')) ?? said)
    .replace(/^\[ALERT\]\s*\(\d+\)\s*:\s*(config\s*:\s*)?/, '')
    .replace(/parsing \[[^\]]*\]\s*:\s*/, '')
    .trim();

export class Haproxy implements Layer7Proxy {
  readonly #options: HaproxyOptions;
  #running = '';
  #wanted = false;

  constructor(options: HaproxyOptions) {
    this.#options = options;
  }

  async apply(routing: Routing | undefined, signal: AbortSignal): Promise<readonly Refusal[]> {
    this.#wanted = routing !== undefined;
    if (routing === undefined) {
      await this.stop('SIGUSR1');
      return [];
    }
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    const { text, config, refusals } = await this.#checked(routing, signal);
    const all = `${text}${config.files.map(({ name, content }) => `${name}\n${content}`).join('')}`;
    if (all === this.#running && (await this.#pid()) !== undefined) return refusals;
    await writeFileAtomically(this.#path('haproxy.cfg'), text, 0o600);
    const pid = await this.#pid();
    if (pid === undefined) await this.#start(signal);
    else await this.#reload(pid, signal);
    this.#running = all;
    await this.#sweep(config);
    return refusals;
  }

  async check(): Promise<boolean> {
    return !this.#wanted || (await this.#pid()) !== undefined;
  }

  /** `SIGUSR1` lets open connections end, `SIGTERM` does not. */
  async stop(signal: 'SIGUSR1' | 'SIGTERM'): Promise<void> {
    this.#running = '';
    const pid = await this.#pid();
    if (pid !== undefined) process.kill(pid, signal);
    await rm(this.#path('haproxy.pid'), { force: true });
  }

  /** A configuration that HAProxy takes: objects whose lines it refuses are left out one after the other. */
  async #checked(
    routing: Routing,
    signal: AbortSignal,
  ): Promise<{ readonly text: string; readonly config: ProxyConfig; readonly refusals: readonly Refusal[] }> {
    const refusals: Refusal[] = [];
    for (let round = 0; round <= mostRefusals; round += 1) {
      const out = new Set(refusals.map(({ owner }) => owner));
      const routes = routing.routes.filter(({ owner }) => !out.has(owner));
      const config = this.#options.configOf({ ...routing, routes });
      const text = `${config.lines.map((line) => line.text).join('\n')}\n`;
      const next = this.#path('next.cfg');
      for (const { name, content } of config.files)
        await writeFileAtomically(this.#path(name), content, 0o600);
      await writeFileAtomically(next, text, 0o600);
      const { code, said } = await execute([...this.#command(), '-c', '-f', next], signal);
      if (code === 0) return { text, config, refusals };
      const line = Number(/next\.cfg:(\d+)\]/.exec(said)?.[1] ?? 0);
      const owner = config.lines[line - 1]?.owner;
      if (owner === undefined)
        throw new ClusterError('Invalid', `haproxy refuses the configuration: ${wordsOf(said)}`);
      refusals.push({ owner, message: wordsOf(said) });
    }
    throw new ClusterError('Invalid', `haproxy refuses more than ${String(mostRefusals)} objects`);
  }

  async #start(signal: AbortSignal): Promise<void> {
    const file = this.#path('haproxy.log');
    const log = openSync(file, 'w', 0o600);
    const [program = '', ...args] = [
      ...this.#command(),
      ...['-W', '-f', this.#path('haproxy.cfg'), '-p', this.#path('haproxy.pid')],
    ];
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) =>
        resolve(error.code === 'ENOENT' ? missing.message : error.message),
      );
      child.once('exit', () => resolve('it ended'));
    });
    child.unref();
    for (let waited = 0; waited < startMs; waited += 50) {
      const why = await Promise.race([ended, sleep(50).then(() => undefined)]);
      if (why !== undefined)
        throw new ClusterError(
          'ServiceUnavailable',
          `haproxy does not start: ${wordsOf((await readOptionalFile(file)) || why)}`,
        );
      signal.throwIfAborted();
      if ((await this.#pid()) !== undefined && waited >= 300) return;
    }
  }

  /** New workers take the sockets over; old ones serve their connections to the end. */
  async #reload(pid: number, signal: AbortSignal): Promise<void> {
    const before = ((await readOptionalFile(this.#path('haproxy.log'))) ?? '').length;
    process.kill(pid, 'SIGUSR2');
    for (let waited = 0; waited < startMs; waited += 50) {
      await sleep(50);
      signal.throwIfAborted();
      const said = ((await readOptionalFile(this.#path('haproxy.log'))) ?? '').slice(before);
      if (said.includes('[ALERT]'))
        throw new ClusterError('ServiceUnavailable', `haproxy goes on as before: ${wordsOf(said)}`);
      if (said.includes('Loading success') || said.includes('New worker')) return;
    }
    this.#options.log.warn({}, 'haproxy has not said that it took the new configuration');
  }

  /** Of the master that an earlier process or this one started; undefined when it is gone. */
  async #pid(): Promise<number | undefined> {
    const pid = Number((await readOptionalFile(this.#path('haproxy.pid')))?.trim().split('\n')[0] ?? 0);
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    try {
      // A number that another program has now is not ours.
      const line = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8');
      return line.includes(this.#path('haproxy.cfg')) ? pid : undefined;
    } catch {
      return undefined; // no such process
    }
  }

  async #sweep({ files }: ProxyConfig): Promise<void> {
    const used = new Set(files.map(({ name }) => name));
    for (const name of await readdir(this.#options.folder))
      if (/\.(pem|txt)$/.test(name) && !used.has(name)) await rm(this.#path(name), { force: true });
  }

  #command(): readonly string[] {
    return [...(this.#options.prefix ?? []), 'haproxy'];
  }

  #path(name: string): string {
    return join(this.#options.folder, name);
  }
}
