// An agent on a real engine, and what tests ask of its pods.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silent } from '../../src/base/log.js';
import { createDockerRuntime } from '../../src/host/docker/docker-runtime.js';
import { removeEverything } from '../../src/host/docker/remove-everything.js';
import { createNodeFiles } from '../../src/host/node-files.js';
import { networkProber } from '../../src/host/prober.js';
import { systemClock } from '../../src/host/system-clock.js';
import type { Container, Pod } from '../../src/resources/generated/types.js';
import { containerStatusOf } from '../../src/resources/pod-status.js';
import { AgentHarness, condition } from '../unit/node/agent-harness.js';
import type { DockerEngine } from './docker-engine.js';

export const image = 'test/busybox:1';

export const shell = (script: string, more: Partial<Container> = {}): Container => ({
  name: 'web',
  image,
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/sh', '-c', script],
  ...more,
});

export const forever = `trap 'exit 0' TERM; while true; do sleep 0.1; done`;

export class DockerNode {
  readonly harness: AgentHarness;
  readonly folder: string;
  readonly #engine: DockerEngine;

  private constructor(engine: DockerEngine, harness: AgentHarness, folder: string) {
    this.#engine = engine;
    this.harness = harness;
    this.folder = folder;
  }

  /** `subnet` such as `10.206.0.0/24`: each file of tests has its own. */
  static async open(engine: DockerEngine, subnet: string): Promise<DockerNode> {
    const folder = await mkdtemp(join(tmpdir(), 'capstan-node-'));
    const harness = await AgentHarness.open({
      clock: systemClock,
      runtime: await createDockerRuntime({ host: engine.host, instance: 'agent', node: 'n1', log: silent }),
      files: createNodeFiles(folder),
      prober: networkProber,
      engine: 'docker',
      podCIDR: subnet,
      address: '127.0.0.1',
      source: 'remote',
    });
    return new DockerNode(engine, harness, folder);
  }

  async close(): Promise<void> {
    await this.harness.close();
    const { host } = this.#engine;
    await removeEverything({ host, instance: 'agent', log: silent }, new AbortController().signal);
    const files = createNodeFiles(this.folder);
    for (const uid of await files.pods()) await files.removePod(uid);
    await rm(this.folder, { recursive: true, force: true });
  }

  async until<T>(what: string, look: () => Promise<T | undefined | false>, ms = 30_000): Promise<T> {
    const end = Date.now() + ms;
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > end)
        throw new Error(
          `${what} did not happen within ${ms} ms; events: ${JSON.stringify(this.harness.events.map(({ reason, message }) => `${reason}: ${message}`))}`,
        );
      await sleep(10);
    }
  }

  ready(name: string, ms?: number): Promise<Pod> {
    return this.until(
      `pod ${name} ready`,
      async () => {
        const pod = await this.harness.pod(name);
        return condition(pod, 'Ready') === 'True' && pod;
      },
      ms,
    );
  }

  phase(name: string, phase: string): Promise<Pod> {
    return this.until(`pod ${name} ${phase}`, async () => {
      const pod = await this.harness.pod(name);
      return pod.status?.phase === phase && pod;
    });
  }

  gone(name: string): Promise<boolean> {
    return this.until(
      `the end of pod ${name}`,
      async () => (await this.harness.podOrNothing(name)) === undefined,
    );
  }

  async id(name: string, container = 'web'): Promise<string> {
    const status = containerStatusOf(await this.harness.pod(name), container);
    return (status?.containerID ?? '').replace(/^\w+:\/\//, '');
  }

  async inside(name: string, ...command: string[]): Promise<string> {
    return this.#engine.docker('exec', await this.id(name), ...command);
  }

  /** Waits until the engine has stopped the container, then what it wrote. */
  async logs(name: string, container = 'web'): Promise<string> {
    return this.#engine.docker('logs', await this.id(name, container));
  }
}
