// A simulated container engine on a clock of its owner's: for capacity planning, demos, load tests and scenarios.
import { Channel } from '../../base/channel.js';
import type { Clock } from '../../base/clock.js';
import { ClusterError } from '../../base/errors.js';
import type { Prober } from '../../node/prober.js';
import type {
  Container,
  ContainerEvent,
  ContainerSpec,
  ExecOptions,
  ExecSession,
  PulledImage,
  PullRequest,
  Runtime,
} from '../../node/runtime.js';
import { behaviourOf } from './behaviour.js';
import { HollowContainer } from './hollow-container.js';
import { parseScript } from './script.js';

export interface HollowEngineOptions {
  readonly clock: Clock;
  /** Images that are there from the start; with none given, every image can be had. */
  readonly images?: readonly string[] | undefined;
}

const queuedEvents = 10_000;

const down = (): ClusterError =>
  new ClusterError('ServiceUnavailable', 'the simulated container engine is switched off');

const textId = (number: number): string => number.toString(16).padStart(64, '0');

/** What it writes from now on; what it is told goes nowhere. */
const attachTo = (container: HollowContainer, signal: AbortSignal): ExecSession => {
  let finish: (code: number) => void = () => undefined;
  const exitCode = new Promise<number>((resolve) => {
    finish = resolve;
  });
  async function* output(): AsyncGenerator<{ stream: 'stdout'; data: Uint8Array }> {
    const options = { follow: true, timestamps: false, tail: 0 };
    for await (const data of container.logs(options, signal)) yield { stream: 'stdout', data };
    finish(container.fact.exitCode ?? 0);
  }
  return { output: output(), exitCode };
};

export class HollowEngine {
  readonly #clock: Clock;
  readonly #images: Set<string> | undefined;
  readonly #pulled = new Set<string>();
  readonly #containers = new Map<string, HollowContainer>();
  readonly #names = new Map<string, string>();
  readonly #watchers = new Set<Channel<ContainerEvent>>();
  #on = true;
  #next = 1;

  readonly runtime: Runtime = {
    list: (signal) => this.#do(signal, () => [...this.#containers.values()].map(({ fact }) => fact)),
    pull: (request, signal) => this.#pull(request, signal),
    create: (spec, signal) => this.#do(signal, () => this.#create(spec)),
    start: (id, signal) => this.#start(id, signal),
    stop: async (id, graceSeconds, signal) => {
      const container = await this.#do(signal, () => this.container(id));
      await container.stop(graceSeconds * 1000, signal);
      return container.fact;
    },
    remove: (id, signal) => this.#do(signal, () => this.#remove(id)),
    logs: (id, options, signal) => this.container(id).logs(options, signal),
    exec: (id, options, signal) => this.#exec(id, options, signal),
    stats: (id, { disk }, signal) =>
      this.#do(signal, () => ({
        ...this.container(id).consumed,
        ...(disk ? { diskBytes: 0 } : {}),
        at: this.#clock.now(),
      })),
    events: (signal) => this.#events(signal),
  };

  readonly prober: Prober = {
    check: ({ containerId, host, port }, signal) => {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const success = this.#on && this.#containers.get(containerId)?.ready === true;
      return Promise.resolve({
        success,
        message: success ? '' : `dial tcp ${host}:${port}: connect: connection refused`,
      });
    },
  };

  constructor({ clock, images }: HollowEngineOptions) {
    this.#clock = clock;
    this.#images = images === undefined ? undefined : new Set(images);
  }

  /** By id or name. Throws NotFound. */
  container(id: string): HollowContainer {
    const found = this.#containers.get(id) ?? this.#containers.get(this.#names.get(id) ?? '');
    if (found === undefined) throw new ClusterError('NotFound', `No such container: ${id}`);
    return found;
  }

  get containers(): readonly HollowContainer[] {
    return [...this.#containers.values()];
  }

  /** As a crash of the engine that leaves containers running; their ends are seen when it is on again. */
  switchOff(): void {
    this.#on = false;
    for (const watcher of this.#watchers) watcher.close(down());
    this.#watchers.clear();
  }

  switchOn(): void {
    this.#on = true;
  }

  async #do<T>(signal: AbortSignal, run: () => T): Promise<T> {
    signal.throwIfAborted();
    if (!this.#on) throw down();
    return Promise.resolve(run());
  }

  #publish(event: ContainerEvent): void {
    for (const watcher of this.#watchers) if (!watcher.push(event)) this.#watchers.delete(watcher);
  }

  async #pull({ image, policy, annotations }: PullRequest, signal: AbortSignal): Promise<PulledImage> {
    const behaviour = await this.#do(signal, () => behaviourOf(annotations, ''));
    const imageId = `sha256:${Buffer.from(image).toString('hex').padEnd(64, '0').slice(0, 64)}`;
    if (behaviour.imageMissing || (this.#images !== undefined && !this.#images.has(image)))
      throw policy === 'Never'
        ? new ClusterError(
            'NotFound',
            `Container image "${image}" is not present with pull policy of Never`,
            { retry: false },
          )
        : new ClusterError(
            'NotFound',
            `failed to pull image "${image}": manifest for ${image} not found: manifest unknown`,
            { retry: true },
          );
    if (policy !== 'Always' && (this.#images?.has(image) === true || this.#pulled.has(image)))
      return { imageId, pulled: false };
    if (behaviour.pullDelayMs > 0) await this.#clock.sleep(behaviour.pullDelayMs, signal);
    this.#pulled.add(image);
    return { imageId, pulled: true };
  }

  #create(spec: ContainerSpec): Container {
    const taken = this.#names.get(spec.name);
    if (taken !== undefined) return this.container(taken).fact;
    const { network } = spec;
    if (network.type === 'join') this.container(network.sandbox);
    const id = textId(this.#next);
    this.#next += 1;
    const container = new HollowContainer(id, spec, {
      clock: this.#clock,
      imageId: `sha256:${id}`,
      changed: ({ fact }) => this.#publish({ type: 'changed', container: fact }),
    });
    this.#containers.set(id, container);
    this.#names.set(spec.name, id);
    return container.fact;
  }

  async #start(id: string, signal: AbortSignal): Promise<Container> {
    const container = await this.#do(signal, () => this.container(id));
    if (container.fact.state === 'running') return container.fact;
    const { startDelayMs } = container.behaviour;
    if (startDelayMs > 0) await this.#clock.sleep(startDelayMs, signal);
    await this.#do(signal, () => this.container(id).start());
    return container.fact;
  }

  #remove(id: string): void {
    const container = this.#containers.get(id) ?? this.#containers.get(this.#names.get(id) ?? '');
    if (container === undefined) return;
    container.end(137);
    this.#containers.delete(container.fact.id);
    this.#names.delete(container.fact.name);
    this.#publish({ type: 'removed', id: container.fact.id });
  }

  async #exec(id: string, { command, attach }: ExecOptions, signal: AbortSignal): Promise<ExecSession> {
    const container = await this.#do(signal, () => this.container(id));
    if (container.fact.state !== 'running')
      throw new ClusterError('Conflict', `Container ${id} is not running`);
    if (attach === true) return attachTo(container, signal);
    const steps = parseScript(command);
    let finish: (code: number) => void = () => undefined;
    const exitCode = new Promise<number>((resolve) => {
      finish = resolve;
    });
    const clock = this.#clock;
    async function* output(): AsyncGenerator<{ stream: 'stdout' | 'stderr'; data: Uint8Array }> {
      // A command that is not simulated stands for a check of the program's health.
      let code = steps === undefined ? (container.ready ? 0 : 1) : 0;
      for (const step of steps ?? []) {
        if (step.type === 'write') yield { stream: step.stream, data: Buffer.from(step.text) };
        else if (step.type === 'wait') await clock.sleep(step.ms, signal);
        else code = step.code;
      }
      finish(code);
    }
    return { output: output(), exitCode };
  }

  async *#events(signal: AbortSignal): AsyncGenerator<ContainerEvent> {
    signal.throwIfAborted();
    if (!this.#on) throw down();
    const channel = new Channel<ContainerEvent>(queuedEvents);
    const abort = (): void => channel.close(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#watchers.add(channel);
    try {
      yield { type: 'ready' };
      yield* channel;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#watchers.delete(channel);
    }
  }
}
