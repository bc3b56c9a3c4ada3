// A typed cursor into a kind's schema: what strategic merge, server-side apply and pruning walk along with an object.
import type { Definition, Property } from './definitions.js';
import { definitions, OBJECT_META, reference, referenced } from './definitions.js';

export interface SchemaNode {
  /** `any` has unknown members that are all kept; `map` has members of one type; `object` has named fields. */
  readonly type: 'object' | 'array' | 'map' | 'scalar' | 'any';
  /** Node of a named field; the value's node for a map; `any` inside `any`. */
  field(name: string): SchemaNode | undefined;
  /** Node of an array's elements or a map's values; undefined for objects and scalars. */
  element(): SchemaNode | undefined;
  /** Key by which strategic merge matches elements. */
  readonly mergeKey?: string | undefined;
  /** Of `merge`, `replace`, `retainKeys`; empty means replace for lists, merge for objects. */
  readonly patchStrategy: readonly string[];
  /** As server-side apply sees it: `x-kubernetes-list-type`, else what the patch strategy implies, else atomic. */
  readonly listType: 'atomic' | 'set' | 'map';
  readonly listMapKeys: readonly string[];
  readonly mapType: 'granular' | 'atomic';
  /** What a list key that is left out stands for, such as `TCP` for a port's protocol. */
  readonly default?: unknown;
  /** Of a scalar: `quantity`, `byte`, `date-time`, `int32`, `int64`, `double`. */
  readonly format?: string | undefined;
}

type Shape = Property & Pick<Definition, 'properties'>;

/** Whatever it is, it is kept. */
export const anyNode: SchemaNode = {
  type: 'any',
  field: () => anyNode,
  element: () => anyNode,
  patchStrategy: [],
  listType: 'atomic',
  listMapKeys: [],
  mapType: 'granular',
};

const typeOf = (shape: Shape): SchemaNode['type'] => {
  if (shape['x-kubernetes-int-or-string'] === true) return 'scalar';
  if (shape.properties !== undefined) return 'object';
  if (shape.items !== undefined) return 'array';
  if (shape.additionalProperties !== undefined) return 'map';
  if (shape['x-kubernetes-preserve-unknown-fields'] === true || shape.type === undefined) return 'any';
  return shape.type === 'object' || shape.type === 'array' ? 'any' : 'scalar';
};

/** Lists without a declared type follow their patch strategy, as Kubernetes' own schema conversion does. */
const listTypeOf = (shape: Shape): Pick<SchemaNode, 'listType' | 'listMapKeys'> => {
  const declared = shape['x-kubernetes-list-type'];
  if (declared === 'map') return { listType: 'map', listMapKeys: shape['x-kubernetes-list-map-keys'] ?? [] };
  if (declared === 'set' || declared === 'atomic') return { listType: declared, listMapKeys: [] };
  if (shape['x-kubernetes-patch-strategy']?.split(',').includes('merge') !== true)
    return { listType: 'atomic', listMapKeys: [] };
  const key = shape['x-kubernetes-patch-merge-key'];
  return key === undefined ? { listType: 'set', listMapKeys: [] } : { listType: 'map', listMapKeys: [key] };
};

/** The marks on a field win over those of the definition that it refers to. */
const resolve = (property: Shape): Shape => {
  if (property.$ref === undefined) return property;
  const { $ref, ...own } = property;
  const target = definitions()[referenced($ref)] ?? { 'x-kubernetes-preserve-unknown-fields': true };
  return { ...target, ...own };
};

const isPlainReference = (property: Shape): boolean => Object.keys(property).length === 1;

// A memo of a pure function of generated data: nodes of definitions are made once and shared by all kinds.
const memo = new Map<string, SchemaNode>();

const memoised = (name: string, make: () => SchemaNode): SchemaNode => {
  const known = memo.get(name);
  if (known !== undefined) return known;
  const made = make();
  memo.set(name, made);
  return made;
};

const nodeOf = (property: Shape): SchemaNode =>
  property.$ref !== undefined && isPlainReference(property)
    ? memoised(property.$ref, () => makeNode(resolve(property)))
    : makeNode(resolve(property));

const makeNode = (shape: Shape): SchemaNode => {
  const type = typeOf(shape);
  if (type === 'any') return anyNode;
  const fields = new Map<string, SchemaNode>();
  const of = shape.items ?? shape.additionalProperties;
  let element: SchemaNode | undefined;
  const elementNode = (): SchemaNode | undefined =>
    (element ??= of === undefined || type === 'object' ? undefined : nodeOf(of));
  const fieldNode = (name: string): SchemaNode | undefined => {
    if (type === 'map') return elementNode();
    const known = fields.get(name);
    if (known !== undefined) return known;
    const property = Object.hasOwn(shape.properties ?? {}, name) ? shape.properties?.[name] : undefined;
    if (property === undefined) return undefined;
    const made = nodeOf(property);
    fields.set(name, made);
    return made;
  };
  return {
    type,
    field: fieldNode,
    element: elementNode,
    mergeKey: shape['x-kubernetes-patch-merge-key'],
    patchStrategy: shape['x-kubernetes-patch-strategy']?.split(',') ?? [],
    ...listTypeOf(shape),
    mapType: shape['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : 'granular',
    default: shape.default,
    format: shape.format,
  };
};

/** Metadata is known for every kind; the rest of a kind without a definition is kept as it is. */
const untyped: SchemaNode = {
  ...anyNode,
  field: (name) => (name === 'metadata' ? definitionNode(OBJECT_META) : anyNode),
};

/** The node of a definition by its name; undefined when there is none. */
export const definitionNode = (name: string): SchemaNode | undefined =>
  definitions()[name] === undefined
    ? undefined
    : memoised(reference(name), () => makeNode(resolve({ $ref: reference(name) })));

/** Root node of a kind. */
export const schemaOf = (kind: {
  readonly definition: string;
  readonly schema?: { readonly node: SchemaNode } | undefined;
}): SchemaNode => kind.schema?.node ?? definitionNode(kind.definition) ?? untyped;
