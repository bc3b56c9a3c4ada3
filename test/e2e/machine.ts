// One machine as a new user has it: a network and an engine with the example's images of its own, and `capstan up` in a
// folder of its own. Many of them run beside each other.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDockerEngine, type DockerEngine } from '../docker/docker-engine.js';
import { startMachineNetwork, type MachineNetwork } from './machine-network.js';
import {
  capstanProgram,
  checkout,
  kubectlProgram,
  must,
  run,
  type Result,
  type RunOptions,
} from './command.js';

export class Machine {
  readonly folder: string;
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly engine: DockerEngine;
  readonly #network: MachineNetwork;
  readonly #flags: readonly string[];
  #outside: Promise<number> | undefined;

  private constructor(
    folder: string,
    { engine, network }: { readonly engine: DockerEngine; readonly network: MachineNetwork },
    flags: readonly string[],
  ) {
    this.folder = folder;
    this.#network = network;
    this.dataDir = join(folder, 'data');
    this.kubeconfig = join(this.dataDir, 'admin.kubeconfig');
    this.engine = engine;
    this.#flags = flags;
  }

  /** The machine with its engine and images; nothing of Capstan runs yet. */
  static async make(extraFlags: readonly string[] = []): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), 'capstan-e2e-'));
    const network = await startMachineNetwork();
    const engine = await startDockerEngine({ namespace: network.namespace });
    await must(join(checkout, 'scripts/example-images'), [], { environment: { DOCKER_HOST: engine.host } });
    const flags = [
      ...['--data-dir', join(folder, 'data'), '--docker-host', engine.host, '--node-name', 'here'],
      ...extraFlags,
    ];
    return new Machine(folder, { engine, network }, flags);
  }

  /** Network namespace that is this machine's: programs that stand on it run there. */
  get namespace(): string {
    return this.#network.namespace;
  }

  /** The administrator's kubeconfig for a client that stands outside of the machine, such as the test itself. */
  async kubeconfigFromOutside(): Promise<string> {
    const text = await readFile(this.kubeconfig, 'utf8');
    this.#outside ??= this.#network.forward(6443);
    return text.replace('https://127.0.0.1:6443', `https://127.0.0.1:${String(await this.#outside)}`);
  }

  /** Any program, standing on this machine. */
  run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return run(program, args, { namespace: this.namespace, ...options });
  }

  get flags(): readonly string[] {
    return this.#flags;
  }

  /** `capstan up --detach` with this machine's flags. */
  up(...more: readonly string[]): Promise<string> {
    return must(capstanProgram, ['up', '--detach', ...this.#flags, ...more], {
      namespace: this.namespace,
      timeoutMs: 120_000,
    });
  }

  /** A command that finds the cluster by its data directory. */
  capstan(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return run(capstanProgram, args, {
      cwd: this.folder,
      namespace: this.namespace,
      ...options,
      environment: { CAPSTAN_DATA_DIR: this.dataDir, ...options.environment },
    });
  }

  kubectl(
    args: readonly string[],
    options: RunOptions & { readonly program?: string } = {},
  ): Promise<Result> {
    return run(options.program ?? kubectlProgram, ['--kubeconfig', this.kubeconfig, ...args], {
      namespace: this.namespace,
      ...options,
    });
  }

  async kubectlJson<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(
      await must(kubectlProgram, ['--kubeconfig', this.kubeconfig, ...args, '-o', 'json'], {
        namespace: this.namespace,
      }),
    ) as T;
  }

  git(args: readonly string[], cwd: string = this.clone): Promise<Result> {
    return run('git', ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', ...args], {
      cwd,
      namespace: this.namespace,
    });
  }

  get clone(): string {
    return join(this.folder, 'clone');
  }

  /** Commits everything in the clone and pushes it. */
  async push(message: string, ...more: readonly string[]): Promise<Result> {
    await this.git(['add', '-A']);
    await this.git(['commit', '-q', '-m', message]);
    return this.git(['push', 'origin', 'HEAD', ...more]);
  }

  docker(...args: readonly string[]): Promise<string> {
    return must('docker', ['-H', this.engine.host, ...args]);
  }

  /** Removes every trace, also after a test that failed halfway. */
  async destroy(): Promise<void> {
    await this.capstan(['reset', '--yes'], { timeoutMs: 90_000 });
    await this.engine.stop();
    await this.#network.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}
