// The last decision about each object, bounded: what `capstan why` and the dashboard answer from.
import type { Kind } from '../resources/kind.js';
import { displayName } from '../resources/resource.js';
import type { ObjectName } from '../resources/resource.js';
import type { DecisionRecord } from './controller.js';

const defaultLimit = 20_000;

interface Entry {
  readonly record: DecisionRecord;
  readonly kind: Kind;
}

export class DecisionLog {
  readonly #limit: number;
  /** Least recently decided first. */
  readonly #entries = new Map<string, Entry>();

  constructor(limit = defaultLimit) {
    this.#limit = limit;
  }

  /** `kind` is what the key names: the first kind that the controller watches. */
  record(kind: Kind, record: DecisionRecord): void {
    const id = `${record.controller} ${displayName(record.key)}`;
    this.#entries.delete(id);
    this.#entries.set(id, { record, kind });
    if (this.#entries.size <= this.#limit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }

  forget(controller: string, key: ObjectName): void {
    this.#entries.delete(`${controller} ${displayName(key)}`);
  }

  /** Newest first; of all kinds when `kind` is absent. */
  for(name: ObjectName, kind?: Pick<Kind, 'group' | 'plural'>): readonly DecisionRecord[] {
    const wanted = displayName(name);
    return [...this.#entries.values()]
      .filter(
        (entry) =>
          displayName(entry.record.key) === wanted &&
          (kind === undefined || (entry.kind.group === kind.group && entry.kind.plural === kind.plural)),
      )
      .map(({ record }) => record)
      .reverse();
  }

  get size(): number {
    return this.#entries.size;
  }
}
