// Watches kinds that come and go, each for as long as it is there and in the form that it has now.
import { aborted } from '../base/abort.js';
import { resourceNameOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import type { KindSource } from '../resources/kind-source.js';

interface Following {
  readonly kind: Kind;
  readonly end: AbortController;
  readonly running: Promise<void>;
}

export class Followers {
  readonly #source: KindSource;
  readonly #fixed: ReadonlySet<string>;
  readonly #following = new Map<string, Following>();
  readonly #start: (kind: Kind, signal: AbortSignal) => Promise<void>;
  readonly #gone: (kind: Kind) => void;

  constructor(
    source: KindSource,
    options: {
      readonly fixed: ReadonlySet<string>;
      /** Watches the kind until the signal aborts. */
      start(kind: Kind, signal: AbortSignal): Promise<void>;
      gone(kind: Kind): void;
    },
  ) {
    this.#source = source;
    this.#fixed = options.fixed;
    this.#start = options.start;
    this.#gone = options.gone;
  }

  kinds(): readonly Kind[] {
    return this.#source.stored().filter((kind) => !this.#fixed.has(resourceNameOf(kind)));
  }

  async run(signal: AbortSignal): Promise<void> {
    const end = this.#source.subscribe(() => this.#adapt());
    this.#adapt();
    await aborted(signal);
    end();
    const all = [...this.#following.values()];
    for (const following of all) following.end.abort(signal.reason);
    await Promise.all(all.map(({ running }) => running));
  }

  #adapt(): void {
    const wanted = new Map(this.kinds().map((kind) => [resourceNameOf(kind), kind]));
    for (const [name, following] of this.#following) {
      const kind = wanted.get(name);
      if (kind === following.kind) continue;
      following.end.abort();
      this.#following.delete(name);
      if (kind === undefined) this.#gone(following.kind);
    }
    for (const [name, kind] of wanted) {
      if (this.#following.has(name)) continue;
      const end = new AbortController();
      this.#following.set(name, { kind, end, running: this.#start(kind, end.signal) });
    }
  }
}
