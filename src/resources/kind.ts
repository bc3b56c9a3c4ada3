// What the cluster knows about one kind of object. One file in kinds/ and one line in kinds.ts make a kind.
import type { FieldError } from '../base/errors.js';
import type { KindSchema } from './kind-schema.js';
import type { Resource } from './resource.js';

/** One column of a server-side Table (what `kubectl get` prints). */
export interface Column<T extends Resource> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  readonly priority: 0 | 1;
  /** `now` is for ages and durations, in milliseconds since the epoch. */
  cell(object: T, now: number): string | number | boolean | null;
}

/**
 * A second endpoint of an object. `status` and `scale` are served from the object itself; the others have
 * a handler of their own in the API server.
 */
export type Subresource =
  | 'status'
  | 'scale'
  | 'log'
  | 'exec'
  | 'attach'
  | 'portforward'
  | 'proxy'
  | 'binding'
  | 'eviction'
  | 'ephemeralcontainers'
  | 'token'
  | 'finalize'
  | 'approval';

/** Methods, not function properties: a Kind of a specific object can stand in a list of kinds. */
export interface Kind<T extends Resource = Resource> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  /** Kind of a list of them; by default the kind with `List` behind it. */
  readonly listKind?: string | undefined;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Key of the OpenAPI definition, such as `io.k8s.api.core.v1.Pod`. */
  readonly definition: string;
  readonly subresources: readonly Subresource[];
  readonly columns: readonly Column<T>[];
  /** Object without the defaults -> object with them; idempotent. */
  defaulted(object: T): T;
  /**
   * What OpenAPI cannot say: names, bounds, uniqueness, immutability (when `old` is given).
   * The object has its defaults and fits its schema.
   */
  validate(object: T, old: T | undefined): readonly FieldError[];
  /** Values for field selectors beyond `metadata.name` and `metadata.namespace`. */
  selectableFields(object: T): Readonly<Record<string, string>>;
  /**
   * Fields that bump `metadata.generation` when they change; empty for kinds without a generation. `*` stands for
   * everything but metadata and what has a subresource of its own.
   */
  readonly generationFields: readonly string[];
  /** Fields whose values no error may show, whatever is wrong with them. */
  readonly confidential?: readonly string[] | undefined;
  /** Of a kind that is not built in: takes the place of the generated `definition`. */
  readonly schema?: KindSchema | undefined;
  /** Of a kind that is served in several versions, of which one is kept. */
  readonly versions?: KindVersions | undefined;
  /** Where the numbers of a Scale are, in steps; absent: `spec.replicas`, `status.replicas`, `spec.selector`. */
  readonly scalePaths?: ScalePaths | undefined;
  /** Sent as a `Warning` with every answer: this version is on its way out. */
  readonly deprecation?: string | undefined;
}

export interface ScalePaths {
  readonly replicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly selector: readonly string[] | undefined;
}

/** One resource in several versions: every version has a Kind of its own, and all of them share one place in the store. */
export interface KindVersions {
  /** The version in which objects are kept. */
  readonly storage: string;
  /** Whose objects they are kept as, where that kind goes by another group. */
  readonly keptAs?: Pick<Kind, 'group' | 'plural'> | undefined;
  /** Stored objects, of whatever version, as objects of this kind's version. The same objects where nothing differs. */
  decode(stored: readonly Resource[]): readonly Resource[] | Promise<readonly Resource[]>;
  /** An object of this kind's version as it is kept. */
  encode(object: Resource): Resource | Promise<Resource>;
}

/** `apps/v1`, or `v1` for the core group. */
export const apiVersionOf = (kind: Pick<Kind, 'group' | 'version'>): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;

/** `deployments.apps`, or `pods` for the core group: how errors and RBAC name a kind. */
export const resourceNameOf = (kind: Pick<Kind, 'group' | 'plural'>): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;

type Kept = Pick<Kind, 'group' | 'plural' | 'versions'>;

/** Prefix of all keys of a kind in the store; ends with a slash. */
export const kindPrefix = (kind: Kept): string => {
  const { group, plural } = kind.versions?.keptAs ?? kind;
  return `${group === '' ? 'core' : group}/${plural}/`;
};

/** Key of one object in the store: `apps/deployments/shop/web`, `core/nodes/n1`. */
export const storeKey = (kind: Kept, name: string, namespace: string | undefined): string =>
  namespace === undefined || namespace === ''
    ? `${kindPrefix(kind)}${name}`
    : `${kindPrefix(kind)}${namespace}/${name}`;

/** The parts of a kind that differ from the usual; everything else follows from `kind` and `plural`. */
export type KindDefinition<T extends Resource> = Pick<
  Kind<T>,
  'group' | 'version' | 'kind' | 'plural' | 'namespaced' | 'definition'
> &
  Partial<Kind<T>>;

/** Fills in what most kinds share: no short names, no columns beyond the age, nothing to default or validate. */
export const defineKind = <T extends Resource>(definition: KindDefinition<T>): Kind<T> => ({
  singular: definition.kind.toLowerCase(),
  shortNames: [],
  categories: [],
  subresources: [],
  columns: [],
  generationFields: [],
  defaulted: (object) => object,
  validate: () => [],
  selectableFields: () => ({}),
  ...definition,
});
