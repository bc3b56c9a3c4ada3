// The Runtime on Docker Engine. Everything it makes is labelled with instance and node; it touches nothing else.
import type Docker from 'dockerode';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError, hasCode, messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import { label } from '../../node/labels.js';
import type { Container, ContainerSpec, Runtime } from '../../node/runtime.js';
import { containerOf, stateOf } from './container-state.js';
import { createOptions } from './create-options.js';
import { call, connect } from './engine.js';
import type { Engine } from './engine.js';
import { watchEvents } from './events.js';
import { runExec } from './exec.js';
import { ensurePauseImage, pullImage } from './images.js';
import { readLogs } from './logs.js';
import type { NetworkOptions } from './network.js';
import { pauseImage } from './pause-image.js';
import { SandboxNetwork } from './sandbox-network.js';
import { readStats } from './stats.js';

export interface DockerRuntimeOptions {
  /** `unix:///var/run/docker.sock` or `tcp://host:port`. */
  readonly host: string;
  /** Value of the instance label: what bears another is never touched. */
  readonly instance: string;
  readonly node: string;
  readonly network?: NetworkOptions | undefined;
  /** Whose engine answers; Docker's by default. */
  readonly flavor?: Engine['flavor'];
  readonly log: Logger;
}

class DockerRuntime {
  readonly #engine: Engine;
  readonly #network: SandboxNetwork;
  /** As last seen; a running container's facts do not change, an ended one's neither. */
  readonly #known = new Map<string, Container>();
  /** Its start is under way here: who asked for it hears of it, not the events. */
  readonly #starting = new Set<string>();
  /** Sandboxes to be removed that the engine keeps while containers were made to join them. */
  readonly #blocked = new Set<string>();
  #pause: Promise<void> | undefined;

  constructor(engine: Engine, network: NetworkOptions) {
    this.#engine = engine;
    this.#network = new SandboxNetwork(engine, network);
  }

  async list(signal: AbortSignal): Promise<readonly Container[]> {
    const { docker, instance, node } = this.#engine;
    const filters = { label: [`${label.instance}=${instance}`, `${label.node}=${node}`] };
    const found = await call(this.#engine, signal, () =>
      docker.listContainers({ all: true, filters, abortSignal: signal }),
    );
    // All of them may be asked about at once, under this one signal.
    setMaxListeners(0, signal);
    const ids = new Set(found.map(({ Id }) => Id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    const containers = await Promise.all(
      found.map(async ({ Id: id, State: state }) => {
        const known = this.#known.get(id);
        if (known !== undefined && known.state !== 'created' && known.state === stateOf(state)) return known;
        try {
          return await this.inspect(id, signal);
        } catch (error) {
          if (hasCode(error, 'NotFound')) return undefined;
          throw error;
        }
      }),
    );
    const listed = containers.filter((container) => container !== undefined);
    await this.#mend(listed, signal);
    return listed;
  }

  /** A sandbox that has no network, or lost it, gets it (again): it cannot do without. */
  async #mend(containers: readonly Container[], signal: AbortSignal): Promise<void> {
    for (const { id } of await this.#network.detached(containers)) {
      if (this.#starting.has(id)) continue;
      try {
        await this.#network.attach(await this.#facts(id, signal), signal);
      } catch (error) {
        if (signal.aborted) throw error;
        if (!hasCode(error, 'NotFound'))
          this.#engine.log.warn({ id, error: messageOf(error) }, 'a pod has no network: trying again');
      }
    }
  }

  async inspect(id: string, signal: AbortSignal): Promise<Container> {
    return this.#noted(await this.#facts(id, signal));
  }

  #facts(id: string, signal: AbortSignal): Promise<Docker.ContainerInspectInfo> {
    return call(this.#engine, signal, () => this.#container(id).inspect({ abortSignal: signal }));
  }

  #noted(inspected: Docker.ContainerInspectInfo): Container {
    const container = containerOf(inspected);
    if (container.labels[label.instance] !== this.#engine.instance)
      throw new ClusterError('NotFound', `container ${inspected.Id} is not one of Capstan's`);
    this.#known.set(container.id, container);
    return container;
  }

  running(id: string): Container | undefined {
    const known = this.#known.get(id);
    return known?.state === 'running' ? known : undefined;
  }

  forget(id: string): void {
    this.#known.delete(id);
  }

  async create(spec: ContainerSpec, signal: AbortSignal): Promise<Container> {
    await this.#checkAppArmor(spec, signal);
    if (spec.network.type === 'pod') await this.#ensurePause(signal);
    const linked = await this.#network.prepare(spec, signal);
    const options = createOptions(spec.network.type === 'pod' ? { ...spec, image: pauseImage } : spec, {
      instance: this.#engine.instance,
      node: this.#engine.node,
      network: this.#network.name,
      linked,
      ulimits: this.#engine.ulimits,
      oomFloor: this.#engine.oomFloor,
    });
    try {
      const { id } = await this.#heavy(signal, () =>
        this.#engine.docker.createContainer({ ...options, abortSignal: signal }),
      );
      return this.#created(id, spec, options);
    } catch (error) {
      // Someone removed the image: the next sandbox loads it again.
      if (spec.network.type === 'pod' && hasCode(error, 'NotFound')) this.#pause = undefined;
      // A name that is taken is the same container, made before an answer was lost.
      if (!hasCode(error, 'Conflict')) throw error;
      return this.inspect(spec.name, signal);
    }
  }

  /** The engine leaves a profile out, without a word, where the host has no AppArmor. Throws Invalid there. */
  async #checkAppArmor({ appArmor }: ContainerSpec, signal: AbortSignal): Promise<void> {
    if (appArmor === undefined || appArmor === 'unconfined') return;
    const facts: { readonly SecurityOptions?: readonly string[] } = await call(
      this.#engine,
      signal,
      () => this.#engine.docker.info() as Promise<object>,
    );
    if (facts.SecurityOptions?.some((option) => option.includes('apparmor')) !== true)
      throw new ClusterError('Invalid', `Cannot enforce AppArmor: AppArmor is not enabled on the host`);
  }

  /** Asked once for all sandboxes; again after a failure. */
  async #ensurePause(signal: AbortSignal): Promise<void> {
    const pause = (this.#pause ??= ensurePauseImage(this.#engine, signal));
    try {
      await pause;
    } catch (error) {
      if (this.#pause === pause) this.#pause = undefined;
      throw error;
    }
  }

  /** What the engine would say of it, without asking. */
  #created(id: string, spec: ContainerSpec, options: Docker.ContainerCreateOptions): Container {
    const container: Container = {
      id,
      name: spec.name,
      image: options.Image ?? spec.image,
      imageId: '',
      labels: options.Labels ?? {},
      state: 'created',
      createdAt: Date.now(),
    };
    this.#known.set(id, container);
    return container;
  }

  isStarting(id: string): boolean {
    return this.#starting.has(id);
  }

  async start(id: string, signal: AbortSignal): Promise<Container> {
    this.#starting.add(id);
    try {
      await this.#start(id, signal);
      const facts = await this.#facts(id, signal);
      if (facts.State.Running) await this.#network.attach(facts, signal);
      return this.#noted(facts);
    } finally {
      this.#starting.delete(id);
    }
  }

  async #start(id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#heavy(signal, () => this.#container(id).start({ abortSignal: signal }));
    } catch (error) {
      // Started already is what was wanted.
      if (statusOf((error as ClusterError).cause) === 304) return;
      // Someone removed the network: the next sandbox makes it again.
      if (/network .* not found/.test((error as Error).message)) this.#network.forget();
      throw error;
    }
  }

  async stop(id: string, graceSeconds: number, signal: AbortSignal): Promise<Container> {
    try {
      // Not through the gate: it waits, the engine does not work.
      await call(this.#engine, signal, () =>
        graceSeconds > 0
          ? this.#container(id).stop({ t: graceSeconds, abortSignal: signal })
          : this.#container(id).kill({ signal: 'SIGKILL', abortSignal: signal }),
      );
    } catch (error) {
      const status = statusOf((error as ClusterError).cause);
      if (status !== 304 && status !== 409) throw error;
    }
    return this.#exited(id, signal);
  }

  /** A kill is answered before the container has ended. */
  async #exited(id: string, signal: AbortSignal): Promise<Container> {
    const container = await this.inspect(id, signal);
    if (container.state !== 'running') return container;
    await call(
      this.#engine,
      signal,
      () => this.#container(id).wait({ abortSignal: signal }) as Promise<unknown>,
    );
    return this.inspect(id, signal);
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#heavy(signal, () =>
          this.#container(id).remove({ force: true, v: true, abortSignal: signal }),
        );
        this.#known.delete(id);
        await this.#removeBlocked(signal);
        return;
      } catch (error) {
        if (isBlocked(error)) {
          // What ended in it stays for its logs; the sandbox goes with the last of that.
          this.#blocked.add(id);
          await this.stop(id, 0, signal);
          return;
        }
        if (hasCode(error, 'NotFound')) {
          this.#known.delete(id);
          return;
        }
        // Someone else is removing it: wait until it is gone.
        if (!hasCode(error, 'Conflict')) throw error;
        await sleep(50, undefined, { signal });
      }
    }
  }

  async #removeBlocked(signal: AbortSignal): Promise<void> {
    for (const id of [...this.#blocked]) {
      this.#blocked.delete(id);
      await this.remove(id, signal);
    }
  }

  runtime(): Runtime {
    const engine = this.#engine;
    return {
      list: (signal) => this.list(signal),
      pull: (request, signal) => pullImage(engine, request, signal),
      create: (spec, signal) => this.create(spec, signal),
      start: (id, signal) => this.start(id, signal),
      stop: (id, graceSeconds, signal) => this.stop(id, graceSeconds, signal),
      remove: (id, signal) => this.remove(id, signal),
      logs: (id, options, signal) => readLogs(engine, { id, options }, signal),
      exec: (id, options, signal) => runExec(engine, { id, options }, signal),
      stats: (id, { disk }, signal) => readStats(engine, { id, disk }, signal),
      events: (signal) => watchEvents(engine, this, signal),
    };
  }

  #container(id: string): Docker.Container {
    return this.#engine.docker.getContainer(id);
  }

  #heavy<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    return this.#engine.gate.run(signal, () => call(this.#engine, signal, run));
  }
}

/** Podman's rule; Docker has none. */
const isBlocked = (error: unknown): boolean => /has dependent containers/.test(messageOf(error));

const statusOf = (cause: unknown): number | undefined =>
  (cause as { readonly statusCode?: number } | undefined)?.statusCode;

/** Connects with the first verb: an engine that is down is no error before. Throws BadRequest for a malformed host. */
export const createDockerRuntime = async (options: DockerRuntimeOptions): Promise<Runtime> => {
  const { network, ...rest } = options;
  return new DockerRuntime(await connect(rest), network ?? {}).runtime();
};
