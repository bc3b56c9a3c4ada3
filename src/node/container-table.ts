// The engine's containers as last seen, by pod. Answers of operations and events may arrive in any order: what is newer
// stays.
import { addressOf, kindOf, podUidOf } from './labels.js';
import type { Container } from './runtime.js';

const rank = { created: 0, running: 1, exited: 2 } as const;

/** A container goes on from created to exited; it runs again only when someone else started it. */
const isOlder = (candidate: Container, known: Container): boolean => {
  if (candidate.state === 'running' && known.state === 'exited')
    return (candidate.startedAt ?? 0) <= (known.startedAt ?? 0);
  return rank[candidate.state] < rank[known.state];
};

export class ContainerTable {
  readonly #byPod = new Map<string, Map<string, Container>>();
  readonly #podOf = new Map<string, string>();
  /** Removed since the last full list: an answer that is late must not bring one back. */
  readonly #removed = new Set<string>();
  readonly #changed: (podUid: string) => void;

  constructor(changed: (podUid: string) => void) {
    this.#changed = changed;
  }

  ofPod(uid: string): readonly Container[] {
    return [...(this.#byPod.get(uid)?.values() ?? [])];
  }

  *all(): IterableIterator<Container> {
    for (const containers of this.#byPod.values()) yield* containers.values();
  }

  pods(): IterableIterator<string> {
    return this.#byPod.keys();
  }

  get(id: string): Container | undefined {
    return this.#byPod.get(this.#podOf.get(id) ?? '')?.get(id);
  }

  ids(): ReadonlySet<string> {
    return new Set(this.#podOf.keys());
  }

  addresses(): ReadonlySet<string> {
    const taken = new Set<string>();
    for (const containers of this.#byPod.values())
      for (const container of containers.values()) {
        const address = kindOf(container) === 'sandbox' ? addressOf(container) : undefined;
        if (address !== undefined) taken.add(address);
      }
    return taken;
  }

  put(container: Container): void {
    if (this.#removed.has(container.id)) return;
    const known = this.get(container.id);
    if (known === container || (known !== undefined && isOlder(container, known))) return;
    const uid = podUidOf(container);
    const containers = this.#byPod.get(uid) ?? new Map<string, Container>();
    this.#byPod.set(uid, containers.set(container.id, container));
    this.#podOf.set(container.id, uid);
    this.#changed(uid);
  }

  remove(id: string): void {
    this.#removed.add(id);
    const uid = this.#podOf.get(id);
    if (uid === undefined) return;
    this.#podOf.delete(id);
    const containers = this.#byPod.get(uid);
    containers?.delete(id);
    if (containers?.size === 0) this.#byPod.delete(uid);
    this.#changed(uid);
  }

  /** `before`: what was known when the list was asked for; what is missing in the list is gone. */
  replace(listed: readonly Container[], before: ReadonlySet<string>): void {
    const present = new Set(listed.map(({ id }) => id));
    this.#removed.clear();
    for (const id of before) if (!present.has(id)) this.remove(id);
    for (const container of listed) this.put(container);
  }
}
