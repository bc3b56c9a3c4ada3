// What runs in the background of a daemon: ends together, and the first failure ends everything.
import { setMaxListeners } from 'node:events';
import { isAbort } from '../base/abort.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';

export class Tasks {
  readonly #controller = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #closers: (() => Promise<void> | void)[] = [];
  readonly #log: Logger;
  #failure: { readonly error: unknown } | undefined;

  constructor(signal: AbortSignal, log: Logger) {
    this.#log = log;
    // Every watch, timer and request of the daemon listens to this one signal.
    setMaxListeners(0, this.#controller.signal);
    const stop = (): void => this.#controller.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  }

  /** Aborts when the daemon is to end, for whichever reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(name: string, run: (signal: AbortSignal) => Promise<unknown>): void {
    this.#running.push(
      run(this.signal).then(
        () => undefined,
        (error: unknown) => {
          if (this.signal.aborted || isAbort(error, this.signal)) return;
          this.#log.error({ task: name, error: messageOf(error) }, 'a part of the daemon failed; stopping');
          this.#failure ??= { error };
          this.#controller.abort(error);
        },
      ),
    );
  }

  /** What is to be closed when everything has ended, the last one first. */
  finally(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  /** Ends everything that was started, waits for it, and closes what was opened; also after a start that failed. */
  async stop(): Promise<void> {
    this.#controller.abort(new DOMException('the daemon stops', 'AbortError'));
    await Promise.all(this.#running);
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close();
  }

  /** Resolves when everything has ended; rejects with the first failure. */
  async finished(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
