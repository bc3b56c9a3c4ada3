// A CustomResourceDefinition -> the kinds that it makes, one for each version.
import type { FieldError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import type { Definition, Definitions } from '../definitions.js';
import { OBJECT_META, reference } from '../definitions.js';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../generated/types.js';
import type { Kind, KindVersions, ScalePaths, Subresource } from '../kind.js';
import { defineKind } from '../kind.js';
import type { KindSchema } from '../kind-schema.js';
import type { Resource } from '../resource.js';
import { checkMembers } from './check-members.js';
import type { CustomSchema } from './custom-schema.js';
import { fillDefaults } from './fill-defaults.js';
import { findAll, memberNames, parseJsonPath } from './json-path.js';
import { printerColumns } from './printer-columns.js';
import { pruneResource } from './prune.js';
import { ruleErrors } from './rules.js';
import { rootCursor } from './schema-cursor.js';
import { valueErrors } from './validate-value.js';
import { compareVersions } from '../version-order.js';
import { dnsSubdomainErrors } from '../validation/names.js';
import { nameErrors } from '../validation/metadata.js';

/** Asks the definition's webhook for objects in another version (`group/version`). */
export type Convert = (
  definition: CustomResourceDefinition,
  objects: readonly Resource[],
  apiVersion: string,
) => Promise<readonly Resource[]>;

export interface CustomKindOptions {
  /** Needed where the strategy is Webhook and objects are read or written. */
  readonly convert?: Convert | undefined;
}

/** `stable.example.com` and `v1`, `CronTab` -> `com.example.stable.v1.CronTab`. */
const definitionName = (group: string, version: string, kind: string): string =>
  `${group.split('.').reverse().join('.')}.${version}.${kind}`;

const definitionsOf = (
  name: string,
  schema: CustomSchema,
  { spec }: CustomResourceDefinition,
  version: string,
): Definitions => ({
  [name]: {
    ...(schema as Definition),
    properties: {
      ...(schema.properties as Definition['properties']),
      apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
      kind: { type: 'string', description: 'Kind of this object.' },
      metadata: { $ref: reference(OBJECT_META), description: 'Standard object metadata.' },
    },
    'x-kubernetes-group-version-kind': [{ group: spec.group, version, kind: spec.names.kind }],
  },
});

const kindSchema = (schema: CustomSchema, definitions: Definitions): KindSchema => ({
  node: rootCursor(schema),
  definitions,
  check: (object) => ({ errors: checkMembers(object), unknown: pruneResource(schema, object).unknown }),
  prune: <T>(object: T): T => pruneResource(schema, object).object as T,
});

/** What was wrong before, in the same words at the same place, is not the fault of this change. */
const newErrors = (
  errors: readonly FieldError[],
  before: () => readonly FieldError[],
): readonly FieldError[] => {
  if (errors.length === 0) return errors;
  const known = new Set(before().map(({ field, message }) => `${field} ${message}`));
  return errors.filter(({ field, message }) => !known.has(`${field} ${message}`));
};

const validator =
  (schema: CustomSchema) =>
  (object: Resource, old: Resource | undefined): readonly FieldError[] => {
    const names = nameErrors(object.metadata, dnsSubdomainErrors);
    const shape = valueErrors(schema, object, '');
    const wrong = old === undefined ? shape : newErrors(shape, () => valueErrors(schema, old, ''));
    if (names.length + wrong.length > 0) return [...names, ...wrong];
    // Rules may rely on the schema: they are asked only where the whole object fits it.
    if (shape.length > 0) return [];
    const place = { path: '', isRoot: true, old: old === undefined ? undefined : { value: old } };
    const rules = ruleErrors(schema, object, place);
    if (old === undefined) return rules;
    return newErrors(rules, () => ruleErrors(schema, old, { path: '', isRoot: true, old: undefined }));
  };

const scalePaths = (version: CustomResourceDefinitionVersion): ScalePaths | undefined => {
  const scale = version.subresources?.scale;
  if (scale === undefined) return undefined;
  const names = (path: string | undefined): readonly string[] =>
    memberNames(parseJsonPath(path ?? '') ?? []) ?? [];
  return {
    replicas: names(scale.specReplicasPath),
    statusReplicas: names(scale.statusReplicasPath),
    selector: scale.labelSelectorPath === undefined ? undefined : names(scale.labelSelectorPath),
  };
};

const subresourcesOf = ({ subresources }: CustomResourceDefinitionVersion): readonly Subresource[] => [
  ...(subresources?.status === undefined || subresources.status === null ? [] : (['status'] as const)),
  ...(subresources?.scale === undefined ? [] : (['scale'] as const)),
];

const selectable = (
  version: CustomResourceDefinitionVersion,
): ((object: Resource) => Readonly<Record<string, string>>) => {
  const fields = (version.selectableFields ?? []).map(({ jsonPath }) => ({
    name: jsonPath.replace(/^\./, ''),
    path: parseJsonPath(jsonPath) ?? [],
  }));
  const textOf = (value: unknown): string =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
  return (object) =>
    Object.fromEntries(fields.map(({ name, path }) => [name, textOf(findAll(path, object)[0])]));
};

interface Family {
  readonly definition: CustomResourceDefinition;
  readonly storage: string;
  readonly convert: Convert | undefined;
}

const converted = async (
  { definition, convert }: Family,
  objects: readonly Resource[],
  apiVersion: string,
): Promise<readonly Resource[]> => {
  const foreign = objects.filter((object) => object.apiVersion !== apiVersion);
  if (foreign.length === 0 || convert === undefined) return objects;
  const made = await convert(definition, foreign, apiVersion);
  const results = new Map(foreign.map((object, index) => [object, made[index] ?? object]));
  return objects.map((object) => results.get(object) ?? object);
};

/** What is read is pruned and completed by the schema as it is now, whenever it was written. */
const versionsOf = (family: Family, apiVersion: string, schema: CustomSchema): KindVersions => {
  const { definition, storage } = family;
  const { group, conversion } = definition.spec;
  const byWebhook = conversion?.strategy === 'Webhook' && definition.spec.versions.length > 1;
  const read = (object: Resource): Resource =>
    fillDefaults(schema, pruneResource(schema, object).object) as Resource;
  const renamed = (object: Resource, to: string): Resource =>
    object.apiVersion === to ? object : { ...object, apiVersion: to };
  return {
    storage,
    decode: (objects) => {
      if (!byWebhook || objects.every((object) => object.apiVersion === apiVersion))
        return objects.map((object) => read(renamed(object, apiVersion)));
      return converted(family, objects, apiVersion).then((made) => made.map(read));
    },
    encode: (object) => {
      const target = `${group}/${storage}`;
      if (!byWebhook) return renamed(object, target);
      return converted(family, [object], target).then(([made]) => made ?? object);
    },
  };
};

const kindOf = (family: Family, version: CustomResourceDefinitionVersion): Kind => {
  const { definition } = family;
  const { group, names, scope } = definition.spec;
  const accepted = definition.status?.acceptedNames;
  const schema = (version.schema?.openAPIV3Schema ?? { type: 'object' }) as CustomSchema;
  const name = definitionName(group, version.name, names.kind);
  const paths = scalePaths(version);
  return defineKind({
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind,
    shortNames: accepted?.shortNames ?? names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    definition: name,
    subresources: subresourcesOf(version),
    columns: printerColumns(version.additionalPrinterColumns),
    generationFields: ['*'],
    defaulted: (object) => fillDefaults(schema, object) as Resource,
    validate: validator(schema),
    selectableFields: selectable(version),
    schema: kindSchema(schema, definitionsOf(name, schema, definition, version.name)),
    versions: versionsOf(family, `${group}/${version.name}`, schema),
    scalePaths: paths,
    deprecation:
      version.deprecated === true
        ? (version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`)
        : undefined,
  });
};

export interface CustomKinds {
  /** In the order in which clients prefer them. */
  readonly served: readonly Kind[];
  /** Whether it is served or not. */
  readonly stored: Kind;
}

/** Undefined for a definition that has no stored version, which no server accepts. */
export const customKinds = (
  definition: CustomResourceDefinition,
  { convert }: CustomKindOptions = {},
): CustomKinds | undefined => {
  const { versions } = definition.spec;
  const storage = versions.find((version) => version.storage);
  if (storage === undefined || !isObject(definition.spec.names)) return undefined;
  const family: Family = { definition, storage: storage.name, convert };
  const kinds = new Map(versions.map((version) => [version.name, kindOf(family, version)]));
  const stored = kinds.get(storage.name);
  if (stored === undefined) return undefined;
  const served = versions
    .filter((version) => version.served)
    .map(({ name }) => name)
    .sort(compareVersions)
    .flatMap((name) => kinds.get(name) ?? []);
  return { served, stored };
};
