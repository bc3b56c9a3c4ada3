// The kinds that are served now: the built-in ones, and those of every established CustomResourceDefinition. Follows the
// definitions in the store; a write through this server shows before its answer is sent.
import type { CustomResourceDefinition } from '../../resources/generated/types.js';
import { customKinds } from '../../resources/custom/custom-kind.js';
import type { Convert, CustomKinds } from '../../resources/custom/custom-kind.js';
import { isEstablished } from '../../resources/custom/definition-status.js';
import { kindPrefix } from '../../resources/kind.js';
import type { Kind } from '../../resources/kind.js';
import { storedKinds } from '../../resources/kind-source.js';
import type { CurrentKind, KindSource } from '../../resources/kind-source.js';
import { customresourcedefinitions } from '../../resources/kinds/customresourcedefinitions.js';
import { equal } from '../../base/json.js';
import { Compacted } from '../../store/store.js';
import type { Entry, Store } from '../../store/store.js';

export interface KindCatalogOptions {
  readonly store: Store;
  readonly builtIn: readonly Kind[];
  readonly convert?: Convert | undefined;
  /** Ends the watch that starts with the first question. */
  readonly lifetime: AbortSignal;
}

interface Definition {
  readonly modified: number;
  readonly definition: CustomResourceDefinition;
  readonly kinds: CustomKinds;
  /** Aborts when these kinds are no longer the ones that are served. */
  readonly retire: AbortController;
}

const decoder = new TextDecoder();
const prefix = kindPrefix(customresourcedefinitions);

const nameOf = ({ group, version, plural }: Pick<Kind, 'group' | 'version' | 'plural'>): string =>
  `${group}/${version}/${plural}`;

/** What its kinds are made of. */
const isSameMaking = (a: CustomResourceDefinition, b: CustomResourceDefinition): boolean =>
  a.metadata.uid === b.metadata.uid &&
  equal(a.spec, b.spec) &&
  equal(a.status?.acceptedNames, b.status?.acceptedNames);

export class KindCatalog implements KindSource {
  readonly #options: KindCatalogOptions;
  readonly #definitions = new Map<string, Definition>();
  readonly #listeners = new Set<() => void>();
  #served: readonly Kind[] = [];
  #stored: readonly Kind[] = [];
  #byName: ReadonlyMap<string, CurrentKind> = new Map();
  #started = false;

  constructor(options: KindCatalogOptions) {
    this.#options = options;
  }

  served(): readonly Kind[] {
    this.#start();
    return this.#served;
  }

  stored(): readonly Kind[] {
    this.#start();
    return this.#stored;
  }

  subscribe(listener: () => void): () => void {
    this.#start();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  current(kind: Kind): CurrentKind | undefined {
    this.#start();
    return this.#byName.get(nameOf(kind));
  }

  /** A definition was written, or is gone. */
  refresh(name: string): void {
    this.#start();
    const key = `${prefix}${name}`;
    if (this.#read(key, this.#options.store.get(key))) this.#publish();
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#follow(this.#load());
  }

  async #follow(from: number): Promise<void> {
    const { store, lifetime } = this.#options;
    for (let revision = from; ; revision = this.#load()) {
      try {
        for await (const { key } of store.watch(prefix, revision, lifetime))
          // The newest state is read, not the change: whatever order news arrives in, the catalog shows what is.
          if (this.#read(key, store.get(key))) this.#publish();
        return;
      } catch (error) {
        if (!(error instanceof Compacted)) throw error;
      }
    }
  }

  #load(): number {
    const page = this.#options.store.list(prefix);
    const present = new Set(page.entries.map(({ key }) => key));
    for (const key of this.#definitions.keys()) if (!present.has(key)) this.#read(key, undefined);
    for (const entry of page.entries) this.#read(entry.key, entry);
    this.#publish();
    return page.revision;
  }

  /** True when other kinds are served than before. */
  #read(key: string, entry: Entry | undefined): boolean {
    const known = this.#definitions.get(key);
    if (entry !== undefined && known?.modified === entry.modified) return false;
    const definition =
      entry === undefined ? undefined : (JSON.parse(decoder.decode(entry.value)) as CustomResourceDefinition);
    const serves = definition !== undefined && isEstablished(definition);
    if (entry !== undefined && serves && known !== undefined && isSameMaking(known.definition, definition)) {
      this.#definitions.set(key, { ...known, modified: entry.modified, definition });
      return false;
    }
    known?.retire.abort();
    this.#definitions.delete(key);
    if (entry === undefined || !serves) return known !== undefined;
    const kinds = customKinds(definition, { convert: this.#options.convert });
    if (kinds === undefined) return known !== undefined;
    this.#definitions.set(key, {
      modified: entry.modified,
      definition,
      kinds,
      retire: new AbortController(),
    });
    return true;
  }

  #publish(): void {
    const { builtIn } = this.#options;
    const definitions = [...this.#definitions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
    this.#served = [...builtIn, ...definitions.flatMap(({ kinds }) => kinds.served)];
    this.#stored = [...storedKinds(builtIn), ...definitions.map(({ kinds }) => kinds.stored)];
    this.#byName = new Map([
      ...builtIn.map((kind) => [nameOf(kind), { kind }] as const),
      ...definitions.flatMap(({ kinds, retire }) =>
        [kinds.stored, ...kinds.served].map(
          (kind) => [nameOf(kind), { kind, retired: retire.signal }] as const,
        ),
      ),
    ]);
    for (const listener of [...this.#listeners]) listener();
  }
}
