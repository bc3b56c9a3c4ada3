// The ports of the Git loop: where commits come from, where Capstan's own commits go, and what renders folders that
// are not plain manifests. Implemented in host/git.
import type { Instant } from '../base/clock.js';

/** 40 (or 64) hexadecimal digits. */
export type ObjectId = string;

export interface Person {
  readonly name: string;
  readonly email: string;
}

export interface Commit {
  readonly oid: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  /** Whole, with its trailers. */
  readonly message: string;
  readonly author: Person;
  readonly committedAt: Instant;
}

export interface TreeEntry {
  readonly name: string;
  readonly oid: ObjectId;
  /** `other` is a symbolic link or a submodule: neither is followed. */
  readonly type: 'tree' | 'blob' | 'other';
}

export interface Blob {
  readonly oid: ObjectId;
  readonly content: Uint8Array;
}

/** Objects by their id. Content never changes under an id, so whatever was read may be kept. */
export interface ObjectReader {
  /** Throws NotFound naming the object. */
  commit(oid: ObjectId, signal: AbortSignal): Promise<Commit>;
  tree(oid: ObjectId, signal: AbortSignal): Promise<readonly TreeEntry[]>;
  /** In any order, each once; yields to the event loop between chunks. */
  blobs(oids: readonly ObjectId[], signal: AbortSignal): AsyncIterable<Blob>;
}

/** What becomes of a branch in one commit, all or nothing. */
export interface BranchChange {
  readonly branch: string;
  /** The tip on which the change was decided; undefined: the branch must not exist. */
  readonly expected: ObjectId | undefined;
  readonly parents: readonly ObjectId[];
  readonly author: Person;
  readonly message: string;
  readonly at: Instant;
  /** The tree on which `replace` and `files` work; undefined starts empty. */
  readonly base: ObjectId | undefined;
  /** Paths whose object is set to that of another tree; undefined removes the path. */
  readonly replace?: ReadonlyMap<
    string,
    { readonly oid: ObjectId; readonly type: 'tree' | 'blob' } | undefined
  >;
  readonly files?: ReadonlyMap<string, string | undefined>;
}

export interface Source extends ObjectReader {
  /** For people: path or URL without credentials. */
  readonly address: string;
  readonly branch: string;
  /** The commit at the head of the watched branch, always resolved anew. Throws NotFound without the branch, ServiceUnavailable without the repository. */
  head(signal: AbortSignal): Promise<Commit>;
  /** A branch, tag or commit id -> commit. Throws NotFound. */
  resolve(ref: string, signal: AbortSignal): Promise<Commit>;
  /** Yields whenever the head may have moved: hints, sometimes one too many. Never ends before the signal aborts. */
  hints(signal: AbortSignal): AsyncIterable<void>;
  /** Asks for a hint now: a push hook called. */
  poke(): void;
  /** Resolves to the new commit, or to the present one when the tree is as wanted already. Throws Conflict when the branch is not where it was expected. */
  write(change: BranchChange, signal: AbortSignal): Promise<Commit>;
  /** Packs loose objects away where the repository is Capstan's to look after; does nothing elsewhere. */
  tidy(signal: AbortSignal): Promise<void>;
  /** A reader that also sees what a push has brought but Git has not accepted yet. */
  quarantined(environment: Quarantine): ObjectReader & { close(): void };
}

/** The environment in which Git runs pre-receive hooks. */
export interface Quarantine {
  readonly objectDirectory: string;
  readonly alternates: string | undefined;
}

/** Runs `kubectl kustomize` or `helm template` on files laid out in a directory of their own. */
export interface Renderer {
  /** Rejects with a sentence that names what is missing or wrong. Resolves to YAML. */
  render(request: RenderRequest, signal: AbortSignal): Promise<string>;
}

export interface RenderRequest {
  readonly tool: 'kustomize' | 'helm';
  /** Path -> content of every file that the folder may refer to. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The folder to render. */
  readonly path: string;
  readonly name: string;
  readonly namespace: string | undefined;
}
