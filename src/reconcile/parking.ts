// Keys that wait for the View to show what they wrote: found again by the object whose change they await.
import type { Informers } from '../client/informers.js';
import type { View } from '../client/view.js';
import { resourceNameOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import { displayName, nameOf } from '../resources/resource.js';
import type { ObjectName } from '../resources/resource.js';
import type { Expectation } from './expectation.js';

type Wake = () => void;

export class Parking {
  readonly #informers: Informers;
  /** object -> those who wait for it */
  readonly #parked = new Map<string, Set<Wake>>();
  /** Kinds whose changes are listened to, with what ends it. */
  readonly #listening = new Map<Kind, () => void>();

  constructor(informers: Informers) {
    this.#informers = informers;
  }

  /** Those expectations that the view does not meet yet. Of a kind that nobody watches, nothing can be expected. */
  unmet(expectations: readonly Expectation[], view: View): readonly Expectation[] {
    return expectations.filter(
      (expectation) => this.#informers.watches(expectation.kind) && !expectation.isMet(view),
    );
  }

  /** Calls `wake` with each change of the objects that are expected to change, until `leave` is called. */
  park(expectations: readonly Expectation[], wake: Wake): { leave(): void } {
    const ids = expectations.map(({ kind, name }) => {
      this.#listen(kind);
      return this.#id(kind, name);
    });
    for (const id of ids) {
      const waiting = this.#parked.get(id);
      if (waiting === undefined) this.#parked.set(id, new Set([wake]));
      else waiting.add(wake);
    }
    return {
      leave: () => {
        for (const id of ids) {
          const waiting = this.#parked.get(id);
          waiting?.delete(wake);
          if (waiting?.size === 0) this.#parked.delete(id);
        }
      },
    };
  }

  close(): void {
    for (const end of this.#listening.values()) end();
    this.#listening.clear();
    this.#parked.clear();
  }

  #id(kind: Kind, name: ObjectName): string {
    return `${resourceNameOf(kind)} ${displayName(name)}`;
  }

  #listen(kind: Kind): void {
    if (this.#listening.has(kind)) return;
    const end = this.#informers.subscribe(kind, ({ object }) => {
      if (this.#parked.size === 0) return;
      for (const wake of [...(this.#parked.get(this.#id(kind, nameOf(object))) ?? [])]) wake();
    });
    this.#listening.set(kind, end);
  }
}
