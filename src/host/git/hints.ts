// "Something may have changed": any number of hints between two reads count as one.
export class Hints {
  #pending = false;
  #wake: (() => void) | undefined;

  give(): void {
    this.#pending = true;
    this.#wake?.();
  }

  /** Ends when the signal aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<void> {
    const onAbort = (): void => this.#wake?.();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        if (!this.#pending)
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        this.#wake = undefined;
        if (!this.#pending) continue;
        this.#pending = false;
        yield;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
