// Brings one part of the kernel to what is wanted, whenever that changes: changes of a few milliseconds at once, a
// failure again later, and what others broke as soon as a check finds it.
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { NetworkMetrics } from './network-metrics.js';

export interface ApplierOptions {
  /** For the log. */
  readonly name: string;
  apply(signal: AbortSignal): Promise<void>;
  /** False: others changed the kernel. */
  check(signal: AbortSignal): Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: Pick<NetworkMetrics, 'repaired' | 'failed'> | undefined;
}

const coalesceMs = 5;
/** Half of the ten seconds within which a repair is promised. */
const checkMs = 5_000;
const firstRetryMs = 200;
const lastRetryMs = 10_000;

export class Applier {
  readonly #options: ApplierOptions;
  #dirty = false;
  #failures = 0;
  #wake: (() => void) | undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Something changed. */
  poke(): void {
    this.#dirty = true;
    this.#wake?.();
  }

  /** Resolves when the signal aborts; what is in the kernel stays. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      for (;;) {
        if (!this.#dirty) await this.#idle(signal);
        if (this.#failures > 0) await clock.sleep(this.#retryMs(), signal);
        else if (this.#dirty) await clock.sleep(coalesceMs, signal);
        await this.#round(signal);
      }
    } catch (error) {
      if (!isAbort(error, signal) && !signal.aborted) throw error;
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { name, apply, check, log, metrics } = this.#options;
    try {
      const repair = !this.#dirty;
      if (repair && (await check(signal))) return;
      this.#dirty = false;
      await apply(signal);
      if (repair) metrics?.repaired(name);
      if (this.#failures > 0) log.info({ part: name }, 'the network of this node is as it should be again');
      this.#failures = 0;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#dirty = true;
      this.#failures += 1;
      metrics?.failed(name);
      const fields = { part: name, error: messageOf(error), failures: this.#failures };
      if (this.#failures === 1) log.error(fields, 'the network of this node cannot be set up: trying again');
      else log.debug(fields, 'the network of this node still cannot be set up');
    }
  }

  #retryMs(): number {
    return Math.min(lastRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
  }

  /** Until something changes or the next check is due. */
  async #idle(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const either = AbortSignal.any([signal, woken.signal]);
    this.#wake = () => woken.abort();
    try {
      await this.#options.clock.sleep(checkMs, either);
    } catch (error) {
      if (signal.aborted || !woken.signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
    }
  }
}
