// The OpenAPI definitions of the built-in kinds, read from generated files when first asked for.
import { createRequire } from 'node:module';

/** A field of an OpenAPI v3 schema with the Kubernetes extensions. */
export interface Property {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  /** Beside OpenAPI's own formats: `quantity`. */
  readonly format?: string;
  readonly description?: string;
  /** `#/components/schemas/NAME`. */
  readonly $ref?: string;
  readonly items?: Property;
  readonly additionalProperties?: Property;
  readonly default?: unknown;
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
}

export interface Definition extends Property {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

export type Definitions = Readonly<Record<string, Definition>>;

// Node's module cache keeps each parsed file once for the whole process.
const load = createRequire(import.meta.url);

/** Without descriptions: what patches and validation walk. */
export const definitions = (): Definitions => load('./generated/schemas.json') as Definitions;

/** With descriptions, four times the size: for OpenAPI documents only, so it is read anew and not kept. */
export const describedDefinitions = (): Definitions => {
  const once = createRequire(import.meta.url);
  const path = './generated/definitions.json';
  const described = once(path) as Definitions;
  Reflect.deleteProperty(once.cache, once.resolve(path));
  return described;
};

export const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

const refPrefix = '#/components/schemas/';

/** `#/components/schemas/NAME` -> `NAME`. */
export const referenced = (ref: string): string =>
  ref.startsWith(refPrefix) ? ref.slice(refPrefix.length) : ref;

export const reference = (name: string): string => `${refPrefix}${name}`;
