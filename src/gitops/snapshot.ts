// A commit's manifests as a tree that shares everything unchanged with the commit before: only folders and files whose
// object id is new are read.
import { LRUCache } from 'lru-cache';
import { canonical } from '../base/json.js';
import { customKinds } from '../resources/custom/custom-kind.js';
import type { CustomResourceDefinition } from '../resources/generated/types.js';
import { resourceNameOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import { customresourcedefinitions } from '../resources/kinds/customresourcedefinitions.js';
import { readManifests, type ManifestFile, type ManifestRules } from './manifest-file.js';
import type { Commit, ObjectId, ObjectReader, TreeEntry } from './source.js';

export interface File {
  readonly oid: ObjectId;
  /** Undefined for files that are not YAML or JSON. */
  readonly manifests: ManifestFile | undefined;
}

export interface Folder {
  readonly oid: ObjectId;
  readonly folders: ReadonlyMap<string, Folder>;
  readonly files: ReadonlyMap<string, File>;
}

export interface Snapshot {
  readonly commit: Commit;
  readonly root: Folder;
}

const isManifest = (name: string): boolean => /\.(ya?ml|json)$/i.test(name);

/** Files that stand beside manifests and are for other programs. */
const isForOthers = (name: string): boolean =>
  name.startsWith('.') || /^(package(-lock)?|tsconfig|renovate)\.json$/.test(name);

interface Listing {
  readonly oid: ObjectId;
  readonly entries: readonly TreeEntry[];
  readonly folders: ReadonlyMap<string, Listing | Folder>;
}

const isFolder = (value: Listing | Folder): value is Folder => 'files' in value;

/** Keeps what it has read: parsed files and folders by their object ids, the least recently used go first. */
class FileLoader {
  readonly #rules: ManifestRules;
  readonly #files: LRUCache<ObjectId, ManifestFile>;
  readonly #folders: LRUCache<ObjectId, Folder>;

  constructor(rules: ManifestRules, capacity = 4_000) {
    this.#rules = rules;
    this.#files = new LRUCache({ max: capacity });
    this.#folders = new LRUCache({
      maxSize: 40_000,
      sizeCalculation: ({ files, folders }) => 1 + files.size + folders.size,
    });
  }

  /** `previous` is whatever commit was loaded last: what it shares with this one is not even looked up. */
  async load(
    reader: ObjectReader,
    commit: Commit,
    options: { readonly previous?: Snapshot | undefined; readonly signal: AbortSignal },
  ): Promise<Snapshot> {
    const { previous, signal } = options;
    const listed = await this.#list(reader, commit.tree, previous?.root, signal);
    const known = new Map<ObjectId, ManifestFile>();
    await this.#read(reader, this.#missing(listed, previous?.root, known), known, signal);
    return { commit, root: this.#build(listed, known) };
  }

  async #list(
    reader: ObjectReader,
    oid: ObjectId,
    previous: Folder | undefined,
    signal: AbortSignal,
  ): Promise<Listing | Folder> {
    if (previous?.oid === oid) return previous;
    const cached = this.#folders.get(oid);
    if (cached !== undefined) return cached;
    const entries = await reader.tree(oid, signal);
    const folders = await Promise.all(
      entries
        .filter(({ type, name }) => type === 'tree' && !name.startsWith('.'))
        .map(
          async (entry) =>
            [
              entry.name,
              await this.#list(reader, entry.oid, previous?.folders.get(entry.name), signal),
            ] as const,
        ),
    );
    return { oid, entries, folders: new Map(folders) };
  }

  /** Blobs to be read; what the previous commit or the cache has goes into `known`. */
  #missing(
    listing: Listing | Folder,
    previous: Folder | undefined,
    known: Map<ObjectId, ManifestFile>,
  ): Set<ObjectId> {
    const missing = new Set<ObjectId>();
    const visit = (current: Listing | Folder, before: Folder | undefined): void => {
      if (isFolder(current)) return;
      for (const { name, oid, type } of current.entries) {
        if (type !== 'blob' || !isManifest(name) || isForOthers(name)) continue;
        const old = before?.files.get(name);
        const parsed = (old?.oid === oid ? old.manifests : undefined) ?? this.#files.get(oid);
        if (parsed === undefined) missing.add(oid);
        else known.set(oid, parsed);
      }
      for (const [name, folder] of current.folders) visit(folder, before?.folders.get(name));
    };
    visit(listing, previous);
    return missing;
  }

  async #read(
    reader: ObjectReader,
    missing: ReadonlySet<ObjectId>,
    known: Map<ObjectId, ManifestFile>,
    signal: AbortSignal,
  ): Promise<void> {
    if (missing.size === 0) return;
    for await (const { oid, content } of reader.blobs([...missing], signal)) {
      const parsed = readManifests(content, this.#rules);
      this.#files.set(oid, parsed);
      known.set(oid, parsed);
    }
  }

  #build(listing: Listing | Folder, known: ReadonlyMap<ObjectId, ManifestFile>): Folder {
    if (isFolder(listing)) return listing;
    const folder: Folder = {
      oid: listing.oid,
      folders: new Map([...listing.folders].map(([name, child]) => [name, this.#build(child, known)])),
      files: new Map(
        listing.entries
          .filter(({ type, name }) => type === 'blob' && !name.startsWith('.'))
          .map(({ name, oid }) => [name, { oid, manifests: isForOthers(name) ? undefined : known.get(oid) }]),
      ),
    };
    this.#folders.set(listing.oid, folder);
    return folder;
  }
}

/** The CustomResourceDefinitions in a tree, in the order of their paths. */
const definitionsIn = (root: Folder): readonly CustomResourceDefinition[] =>
  [...filesBelow(root, '')].flatMap(([, { manifests }]) =>
    (manifests?.manifests ?? [])
      .filter(({ kind }) => resourceNameOf(kind) === resourceNameOf(customresourcedefinitions))
      .map(({ object }) => object as CustomResourceDefinition),
  );

/** The kinds that a commit's manifests may be of: its own definitions come before those that are live. */
const withDefinitions = (
  { kinds }: ManifestRules,
  definitions: readonly CustomResourceDefinition[],
): ManifestRules => {
  const own = definitions.flatMap(
    (definition) => customKinds(customresourcedefinitions.defaulted(definition))?.served ?? [],
  );
  const named = ({ group, version, kind }: Kind): string => `${group}/${version}/${kind}`;
  const known = new Set(own.map(named));
  return { kinds: [...kinds.filter((kind) => !known.has(named(kind))), ...own] };
};

/** Custom resources are read by the definitions of their own commit, so that both may come in one push. */
export class SnapshotLoader {
  readonly #rules: () => ManifestRules;
  /** By the definitions that they read by; made anew when other kinds are live. */
  readonly #loaders = new LRUCache<
    string,
    { readonly of: readonly Kind[]; readonly rules: ManifestRules; readonly loader: FileLoader }
  >({ max: 8 });
  /** Which loader read a snapshot: only it can go on from there. */
  readonly #readBy = new WeakMap<Snapshot, FileLoader>();

  constructor(rules: ManifestRules | (() => ManifestRules)) {
    this.#rules = typeof rules === 'function' ? rules : () => rules;
  }

  /** Whether both were read by the same rules: only then equal files mean the same. */
  agree(one: Snapshot, other: Snapshot): boolean {
    return this.#readBy.get(one) === this.#readBy.get(other);
  }

  /** The rules by which a snapshot was read. */
  rulesOf(snapshot: Snapshot): ManifestRules {
    return this.#loader(definitionsIn(snapshot.root)).rules;
  }

  /** `previous` is whatever commit was loaded last: what it shares with this one is not even looked up. */
  async load(
    reader: ObjectReader,
    commit: Commit,
    options: { readonly previous?: Snapshot | undefined; readonly signal: AbortSignal },
  ): Promise<Snapshot> {
    const plain = await this.#read(this.#loader([]).loader, reader, commit, options);
    const definitions = definitionsIn(plain.root);
    return definitions.length === 0
      ? plain
      : this.#read(this.#loader(definitions).loader, reader, commit, options);
  }

  async #read(
    loader: FileLoader,
    reader: ObjectReader,
    commit: Commit,
    { previous, signal }: { readonly previous?: Snapshot | undefined; readonly signal: AbortSignal },
  ): Promise<Snapshot> {
    const shared = previous !== undefined && this.#readBy.get(previous) === loader ? previous : undefined;
    const snapshot = await loader.load(reader, commit, { previous: shared, signal });
    this.#readBy.set(snapshot, loader);
    return snapshot;
  }

  #loader(definitions: readonly CustomResourceDefinition[]): {
    readonly rules: ManifestRules;
    readonly loader: FileLoader;
  } {
    const rules = this.#rules();
    const key = canonical(definitions.map(({ spec }) => spec));
    const known = this.#loaders.get(key);
    if (known?.of === rules.kinds) return known;
    const own = definitions.length === 0 ? rules : withDefinitions(rules, definitions);
    const made = { of: rules.kinds, rules: own, loader: new FileLoader(own) };
    this.#loaders.set(key, made);
    return made;
  }
}

/** The folder at a path such as `apps/web`; the root for `.` and the empty path. */
export const folderAt = (root: Folder, path: string): Folder | undefined => {
  let folder: Folder | undefined = root;
  for (const step of path.split('/')) if (step !== '' && step !== '.') folder = folder?.folders.get(step);
  return folder;
};

/** Every file below a folder, in the order of their paths. */
export const filesBelow = function* (
  folder: Folder,
  path: string,
): Generator<readonly [path: string, file: File]> {
  const at = (name: string): string => (path === '' ? name : `${path}/${name}`);
  for (const [name, file] of folder.files) yield [at(name), file];
  for (const [name, child] of folder.folders) yield* filesBelow(child, at(name));
};
