// One simulated container: its state, what it wrote, and the process that its behaviour or its script describes.
import { isAbort } from '../../base/abort.js';
import { Channel } from '../../base/channel.js';
import type { Clock, Instant } from '../../base/clock.js';
import type { Container, ContainerSpec, LogOptions } from '../../node/runtime.js';
import { behaviourOf } from './behaviour.js';
import type { Behaviour } from './behaviour.js';
import { parseScript } from './script.js';
import type { Step } from './script.js';

interface Line {
  readonly at: Instant;
  readonly text: string;
}

/** Lines kept of each container, and lines that a reader may fall behind. */
const keptLines = 1000;

const containerLabel = 'dev.capstan.container';

export class HollowContainer {
  readonly spec: ContainerSpec;
  readonly behaviour: Behaviour;
  readonly #clock: Clock;
  readonly #changed: (container: HollowContainer) => void;
  readonly #lines: Line[] = [];
  readonly #followers = new Set<Channel<Line>>();
  readonly #ending: (() => void)[] = [];
  #process: AbortController | undefined;
  #fact: Container;

  constructor(
    id: string,
    spec: ContainerSpec,
    options: { readonly clock: Clock; readonly imageId: string; changed(container: HollowContainer): void },
  ) {
    this.spec = spec;
    // Annotations speak of the pod's own containers, not of what holds its network.
    const name = spec.labels[containerLabel];
    this.behaviour = behaviourOf(name === undefined ? undefined : spec.annotations, name ?? '');
    this.#clock = options.clock;
    this.#changed = options.changed;
    this.#fact = {
      id,
      name: spec.name,
      image: spec.image,
      imageId: options.imageId,
      labels: spec.labels,
      state: 'created',
      createdAt: options.clock.now(),
    };
  }

  get fact(): Container {
    return this.#fact;
  }

  /** Passes its probes: it runs, and long enough for what its annotations say. */
  get ready(): boolean {
    const { state, startedAt = 0 } = this.#fact;
    if (state !== 'running') return false;
    const age = this.#clock.now() - startedAt;
    const { readyAfterMs, unreadyAfterMs } = this.behaviour;
    return age >= readyAfterMs && (unreadyAfterMs === undefined || age < unreadyAfterMs);
  }

  get consumed(): { readonly cpuNanos: number; readonly workingSetBytes: number } {
    const { state, startedAt = this.#clock.now(), finishedAt } = this.#fact;
    const ran = (finishedAt ?? this.#clock.now()) - startedAt;
    const { cpuMillis, memoryBytes } = this.behaviour;
    // A thousandth of a core for a millisecond is a thousand nanoseconds.
    return { cpuNanos: ran * cpuMillis * 1000, workingSetBytes: state === 'running' ? memoryBytes : 0 };
  }

  start(): void {
    this.#become({ state: 'running', startedAt: this.#clock.now() });
    const { log, crashAfterMs } = this.behaviour;
    if (log !== undefined) this.write(`${log}\n`);
    const script = parseScript([...(this.spec.command ?? []), ...(this.spec.args ?? [])]);
    const steps: readonly Step[] | undefined =
      crashAfterMs === undefined
        ? script
        : [
            { type: 'wait', ms: crashAfterMs },
            { type: 'end', code: this.behaviour.exitCode },
          ];
    if (steps === undefined) return;
    const running = new AbortController();
    this.#process = running;
    void this.#play(steps, running.signal);
  }

  /** Ends it, whatever it does; nothing happens when it does not run. */
  end(exitCode: number, oomKilled = false): void {
    if (this.#fact.state !== 'running') return;
    this.#process?.abort();
    this.#process = undefined;
    this.#become({ state: 'exited', finishedAt: this.#clock.now(), exitCode, oomKilled });
    for (const follower of this.#followers) follower.close();
    for (const wake of this.#ending.splice(0)) wake();
  }

  /** SIGTERM, then SIGKILL. */
  async stop(graceMs: number, signal: AbortSignal): Promise<void> {
    if (this.#fact.state !== 'running') return;
    const { stopDelayMs } = this.behaviour;
    const ended = new Promise<void>((resolve) => this.#ending.push(resolve));
    const wait = Math.min(graceMs, stopDelayMs);
    if (wait > 0) await Promise.race([ended, this.#clock.sleep(wait, signal)]);
    this.end(graceMs === 0 || stopDelayMs > graceMs ? 137 : 143);
  }

  write(text: string): void {
    const line = { at: this.#clock.now(), text };
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    for (const follower of this.#followers) follower.push(line);
  }

  async *logs(
    { follow, timestamps, tail, since, limitBytes }: LogOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const channel = new Channel<Line>(keptLines);
    const recent = this.#lines.filter(({ at }) => since === undefined || at >= since);
    for (const line of tail === undefined ? recent : recent.slice(Math.max(0, recent.length - tail)))
      channel.push(line);
    const abort = (): void => channel.close(signal.reason);
    if (follow && this.#fact.state !== 'exited') {
      this.#followers.add(channel);
      signal.addEventListener('abort', abort, { once: true });
    } else channel.close();
    try {
      let left = limitBytes ?? Infinity;
      for await (const { at, text } of channel) {
        const bytes = Buffer.from(timestamps ? `${new Date(at).toISOString()} ${text}` : text);
        yield bytes.byteLength <= left ? bytes : bytes.subarray(0, left);
        left -= bytes.byteLength;
        if (left <= 0) return;
      }
    } finally {
      this.#followers.delete(channel);
      signal.removeEventListener('abort', abort);
    }
  }

  async #play(steps: readonly Step[], signal: AbortSignal): Promise<void> {
    try {
      for (const step of steps) {
        if (step.type === 'write') this.write(step.text);
        else if (step.type === 'wait') {
          if (step.ms > 0) await this.#clock.sleep(step.ms, signal);
        } else {
          this.end(step.code, this.behaviour.oom);
          return;
        }
      }
      this.end(0);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }

  #become(change: Partial<Container>): void {
    this.#fact = { ...this.#fact, ...change };
    this.#changed(this);
  }
}
