// Schemas of OpenAPI documents: the definitions that some kinds need, in the forms that v3 and v2 clients expect.
import type { Definition, Definitions, Property } from '../definitions.js';
import { referenced } from '../definitions.js';
import type { Kind } from '../kind.js';

export type Schema = Readonly<Record<string, unknown>>;

/** Version 3 keeps schemas under `components`, version 2 under `definitions`; they write references differently. */
export type Version = 'v2' | 'v3';

export const meta = (name: string): string => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`;
const quantityName = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const intOrStringName = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';

export const refTo = (version: Version, name: string): string =>
  version === 'v3' ? `#/components/schemas/${name}` : `#/definitions/${name}`;

/** Beside a reference version 3 allows nothing, so that what is said of the field stands around it. */
const withRef = (version: Version, name: string, rest: Schema): Schema => {
  const $ref = refTo(version, name);
  if (version === 'v2') return { $ref, ...rest };
  return Object.keys(rest).length === 0 ? { $ref } : { ...rest, allOf: [{ $ref }] };
};

const propertySchema = (version: Version, property: Property): Schema => {
  const { $ref, items, additionalProperties, format, ...rest } = property;
  if ($ref !== undefined) return withRef(version, referenced($ref), rest);
  const said = property.description === undefined ? {} : { description: property.description };
  if (property['x-kubernetes-int-or-string'] === true) return withRef(version, intOrStringName, said);
  if (format === 'quantity') return withRef(version, quantityName, said);
  if (property['x-kubernetes-preserve-unknown-fields'] === true) return { type: 'object', ...rest };
  return {
    ...rest,
    ...(format === undefined ? {} : { format }),
    ...(items === undefined ? {} : { items: propertySchema(version, items) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: propertySchema(version, additionalProperties) }),
  };
};

const definitionSchema = (version: Version, { properties = {}, ...rest }: Definition): Schema => ({
  ...rest,
  properties: Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, propertySchema(version, property)]),
  ),
});

const scalars = (version: Version): Readonly<Record<string, Schema>> => ({
  [quantityName]:
    version === 'v3'
      ? { description: quantityText, oneOf: [{ type: 'string' }, { type: 'number' }] }
      : { description: quantityText, type: 'string' },
  [intOrStringName]:
    version === 'v3'
      ? {
          description: intOrStringText,
          format: 'int-or-string',
          oneOf: [{ type: 'integer' }, { type: 'string' }],
        }
      : { description: intOrStringText, format: 'int-or-string', type: 'string' },
});

const quantityText = 'A number with a suffix, such as 250m (thousandths), 1.5Gi (powers of 1024) or 2e3.';
const intOrStringText = 'Either a whole number or a string.';

const listMeta: Definition = {
  description: 'ListMeta describes metadata that lists have.',
  type: 'object',
  properties: {
    continue: { type: 'string', description: 'Set when there is more: send it with the next request.' },
    remainingItemCount: {
      type: 'integer',
      format: 'int64',
      description: 'How many more objects there are, when that is known.',
    },
    resourceVersion: { type: 'string', description: 'The revision at which the list was read.' },
    selfLink: { type: 'string', description: 'No longer set.' },
  },
};

export const listName = (kind: Kind): string => `${kind.definition}List`;

const listOf = (kind: Kind): Definition => ({
  description: `${kind.kind}List is a list of ${kind.plural}.`,
  type: 'object',
  properties: {
    apiVersion: { type: 'string', description: 'The version of this representation.' },
    items: {
      type: 'array',
      description: `The ${kind.plural}.`,
      items: { $ref: `#/components/schemas/${kind.definition}` },
    },
    kind: { type: 'string', description: 'The kind of list.' },
    metadata: { $ref: `#/components/schemas/${meta('ListMeta')}` },
  },
  required: ['items'],
  'x-kubernetes-group-version-kind': [
    { group: kind.group, version: kind.version, kind: kind.listKind ?? `${kind.kind}List` },
  ],
});

/** The names a definition refers to. */
const references = (property: Definition): readonly string[] => [
  ...(property.$ref === undefined ? [] : [referenced(property.$ref)]),
  ...(property.items === undefined ? [] : references(property.items)),
  ...(property.additionalProperties === undefined ? [] : references(property.additionalProperties)),
  ...Object.values(property.properties ?? {}).flatMap(references),
];

export const scaleName = 'io.k8s.api.autoscaling.v1.Scale';

/** Everything that the kinds, their lists and their requests refer to, by name. */
export const schemasOf = (
  version: Version,
  kinds: readonly Kind[],
  definitions: Definitions,
): Readonly<Record<string, Schema>> => {
  const all: Definitions = {
    ...definitions,
    [meta('ListMeta')]: listMeta,
    [meta('Patch')]: { description: 'A patch of one of the forms that Kubernetes knows.', type: 'object' },
    ...Object.fromEntries(kinds.flatMap(({ schema }) => Object.entries(schema?.definitions ?? {}))),
    ...Object.fromEntries(kinds.map((kind) => [listName(kind), listOf(kind)])),
  };
  const needed = new Set<string>();
  const queue = [
    ...kinds.flatMap((kind) => [kind.definition, listName(kind)]),
    ...(kinds.some((kind) => kind.subresources.includes('scale')) ? [scaleName] : []),
    ...['Status', 'DeleteOptions', 'Patch'].map(meta),
  ];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const definition = all[name];
    if (definition === undefined || needed.has(name)) continue;
    needed.add(name);
    queue.push(...references(definition));
  }
  const schemas = [...needed].map((name) => [name, definitionSchema(version, all[name] ?? {})] as const);
  return Object.fromEntries(
    [...schemas, ...Object.entries(scalars(version))].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
};
