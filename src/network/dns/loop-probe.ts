// Finds name servers that send questions back to here: each is asked for a name that nobody else knows, and a question
// for that name coming in is the proof. Without it, one question would go round until something breaks.
import type { Clock } from '../../base/clock.js';
import { isAbort } from '../../base/abort.js';
import type { ServerAddress } from './dns-config.js';
import { questionPacket } from './forwarder.js';
import type { Upstream } from './forwarder.js';
import { answersQuestion } from './upstream-packet.js';

export interface LoopProbeOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** The servers that loop now, when that changes. */
  changed(looping: readonly ServerAddress[]): void;
}

const intervalMs = 30_000;
const timeoutMs = 1_500;
/** HINFO: what no client asks for. */
const probeType = 13;

const same = (a: ServerAddress, b: ServerAddress): boolean => a.address === b.address && a.port === b.port;

const encodeQuestion = (name: string): Buffer => {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0, 0, probeType, 0, 1])]);
};

export class LoopProbe {
  readonly #options: LoopProbeOptions;
  readonly #seen = new Set<string>();
  #looping: readonly ServerAddress[] = [];
  #servers: readonly ServerAddress[] = [];
  #wake: AbortController | undefined;

  constructor(options: LoopProbeOptions) {
    this.#options = options;
  }

  /** Another set of servers: they are tried at once. */
  use(servers: readonly ServerAddress[]): void {
    if (
      servers.length === this.#servers.length &&
      servers.every((one, at) => same(one, this.#servers[at] ?? one))
    )
      return;
    this.#servers = servers;
    this.#wake?.abort();
  }

  loops(server: ServerAddress): boolean {
    return this.#looping.some((one) => same(one, server));
  }

  /** Every question that comes in is shown here; true for one of the probe's own. */
  notice(name: string): boolean {
    if (!this.#pending.has(name)) return false;
    this.#seen.add(name);
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#round(signal);
      try {
        await this.#options.clock.sleep(intervalMs, AbortSignal.any([signal, this.#wake.signal]));
      } catch (error) {
        if (!isAbort(error)) throw error;
      }
    }
  }

  readonly #pending = new Set<string>();

  async #round(signal: AbortSignal): Promise<void> {
    const servers = this.#servers;
    const results = await Promise.all(servers.map((server) => this.#isLoop(server, signal)));
    if (signal.aborted) return;
    const looping = servers.filter((_, index) => results[index] === true);
    const before = this.#looping;
    this.#looping = looping;
    if (looping.length !== before.length || looping.some((one) => !before.some((other) => same(one, other))))
      this.#options.changed(looping);
  }

  async #isLoop(server: ServerAddress, signal: AbortSignal): Promise<boolean> {
    const word = (): string => Math.floor(this.#options.random() * 2 ** 48).toString(36);
    const name = `${word()}${word()}.${word()}`;
    const question = encodeQuestion(name);
    this.#pending.add(name);
    try {
      await this.#options.upstream.exchange(
        {
          server,
          transport: 'udp',
          packet: questionPacket({ question, flags: 0, edns: undefined }),
          timeoutMs,
          accepts: (response) => answersQuestion(response, question),
        },
        signal,
      );
    } catch {
      // A server that is away does not loop; whether the question came back is what counts.
    }
    this.#pending.delete(name);
    return this.#seen.delete(name);
  }
}
