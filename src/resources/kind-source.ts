// The kinds that there are now: those that are built in, and those that CustomResourceDefinitions make.
import { resourceNameOf } from './kind.js';
import type { Kind } from './kind.js';

export interface KindSource {
  /** All that are served, each version of a resource for itself. The same array until something changes. */
  served(): readonly Kind[];
  /** One for each resource, in the version in which it is kept. The same array until something changes. */
  stored(): readonly Kind[];
  /** The kind as it is served now; undefined when it is not, or not any more. */
  current(kind: Kind): CurrentKind | undefined;
  /** Calls after each change. Returns what ends it. */
  subscribe(listener: () => void): () => void;
}

export interface CurrentKind {
  readonly kind: Kind;
  /** Aborts when the kind is served no more, or otherwise than before. */
  readonly retired?: AbortSignal | undefined;
}

/** One kind for each resource: the one in the stored version, or else the first. */
export const storedKinds = (served: readonly Kind[]): readonly Kind[] => {
  const found = new Map<string, Kind>();
  for (const kind of served) {
    if (kind.versions?.keptAs !== undefined) continue;
    const name = resourceNameOf(kind);
    if (!found.has(name) || kind.versions?.storage === kind.version) found.set(name, kind);
  }
  return [...found.values()];
};

/** Kinds that do not change. */
export const fixedKinds = (kinds: readonly Kind[]): KindSource => {
  const stored = storedKinds(kinds);
  return {
    served: () => kinds,
    stored: () => stored,
    current: (kind) => ({ kind }),
    subscribe: () => () => undefined,
  };
};

/** Where kinds are wanted, a list of them will do. */
export type Kinds = readonly Kind[] | KindSource;

export const kindSource = (kinds: Kinds): KindSource => ('served' in kinds ? kinds : fixedKinds(kinds));
