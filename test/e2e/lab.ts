// Several machines on one network (scripts/lab), with the example's images and Capstan on them: h1 is the master.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node } from '../../src/resources/generated/types.js';
import { startDockerEngine } from '../docker/docker-engine.js';
import {
  capstanProgram,
  checkout,
  eventually,
  kubectlProgram,
  must,
  run,
  type Result,
  type RunOptions,
} from './command.js';

export interface Items<T> {
  readonly items: readonly T[];
}

export const isNodeReady = (node: Node): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

const script = join(checkout, 'scripts/lab');
const images = ['capstan-example/web:1', 'capstan-example/web:2'];

export class LabCluster {
  readonly folder: string;
  /** For scripts/lab. */
  readonly environment: Readonly<Record<string, string>>;
  /** The program that is Capstan; a test may have one with a part of its own. */
  readonly #program: readonly string[];

  private constructor(id: string, program: readonly string[]) {
    this.folder = join(tmpdir(), `capstan-lab-${id}`);
    this.environment = { LAB_NAME: `c${id}`, LAB_DIR: this.folder };
    this.#program = program;
  }

  /** Machines with engines and images; nothing of Capstan runs yet. */
  static async make(hosts: number, program: readonly string[] = [capstanProgram]): Promise<LabCluster> {
    const cluster = new LabCluster(randomBytes(2).toString('hex'), program);
    const engine = await startDockerEngine();
    try {
      const environment = { DOCKER_HOST: engine.host };
      await must(join(checkout, 'scripts/example-images'), [], { environment });
      await cluster.lab('up', String(hosts));
      await must(script, ['load', ...images], {
        environment: { ...cluster.environment, ...environment },
        timeoutMs: 120_000,
      });
    } finally {
      await engine.stop();
    }
    return cluster;
  }

  address(host: number): string {
    return `10.77.0.${String(host)}`;
  }

  dataDir(host: number): string {
    return `${this.folder}/h${String(host)}/data`;
  }

  engine(host: number): string {
    return `unix://${this.folder}/h${String(host)}/docker.sock`;
  }

  /** A verb of scripts/lab. */
  lab(...args: readonly string[]): Promise<string> {
    return must(script, args, { environment: this.environment, timeoutMs: 120_000 });
  }

  on(host: number, program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Result> {
    return run(script, ['exec', `h${String(host)}`, program, ...args], {
      timeoutMs: 120_000,
      ...options,
      environment: { ...this.environment, ...options.environment },
    });
  }

  /** A machine on the same network that is no part of the cluster. */
  outside(program: string, args: readonly string[]): Promise<string> {
    return must(program, args, { namespace: `${this.environment['LAB_NAME'] ?? ''}-switch` });
  }

  async must(
    host: number,
    program: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<string> {
    const result = await this.on(host, program, args, options);
    if (result.code !== 0)
      throw new Error(
        `${program} ${args.join(' ')} on h${String(host)}: ${String(result.code)}\n${result.stdout}${result.stderr}`,
      );
    return result.stdout;
  }

  capstan(host: number, args: readonly string[]): Promise<string> {
    const [program = '', ...first] = this.#program;
    return this.must(host, program, [...first, ...args]);
  }

  /** `capstan up` on h1. */
  up(...more: readonly string[]): Promise<string> {
    return this.capstan(1, [
      ...['up', '--detach', '--data-dir', this.dataDir(1), '--docker-host', this.engine(1)],
      ...['--advertise-address', this.address(1), '--node-name', 'h1', ...more],
    ]);
  }

  /** `capstan agent` on another machine. */
  async agent(host: number, ...more: readonly string[]): Promise<void> {
    const name = `h${String(host)}`;
    const file = `${this.folder}/${name}/agent.kubeconfig`;
    const signed = await this.capstan(1, [
      ...['kubeconfig', '--data-dir', this.dataDir(1), '--node', name],
      ...['--server', `https://${this.address(1)}:6443`],
    ]);
    await writeFile(file, signed, { mode: 0o600 });
    await this.capstan(host, [
      ...['agent', '--detach', '--kubeconfig', file, '--data-dir', this.dataDir(host)],
      ...['--docker-host', this.engine(host), '--advertise-address', this.address(host)],
      ...['--node-name', name, ...more],
    ]);
  }

  /** Master and agents, all of them Ready. */
  async start(hosts: number, ...flags: readonly string[]): Promise<void> {
    await this.up(...flags);
    for (let host = 2; host <= hosts; host += 1) await this.agent(host);
    await this.nodesReady(hosts);
  }

  async nodesReady(count: number): Promise<readonly Node[]> {
    return eventually(
      async () => (await this.get<Items<Node>>('nodes')).items,
      (items) => items.length === count && items.every(isNodeReady),
      { timeoutMs: 60_000, what: `${String(count)} ready nodes` },
    );
  }

  kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return this.must(
      1,
      kubectlProgram,
      ['--kubeconfig', `${this.dataDir(1)}/admin.kubeconfig`, ...args],
      options,
    );
  }

  async get<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl(['get', ...args, '-o', 'json'])) as T;
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await this.kubectl(['apply', '-f', '-'], { input });
  }

  /** Ends everything and removes every trace. */
  async destroy(): Promise<void> {
    await this.lab('down');
  }
}
