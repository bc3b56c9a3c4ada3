// The schema of a custom resource as the cursor that server-side apply and field ownership walk.
import { definitionNode, anyNode } from '../schema-node.js';
import { OBJECT_META } from '../definitions.js';
import type { SchemaNode } from '../schema-node.js';
import {
  isEmbedded,
  isIntOrString,
  keepsUnknown,
  memberSchema,
  propertyOf,
  valuesOf,
} from './custom-schema.js';
import type { CustomSchema } from './custom-schema.js';

const typeOf = (schema: CustomSchema): SchemaNode['type'] => {
  if (isIntOrString(schema)) return 'scalar';
  if (schema.type === 'array' || schema.items !== undefined) return 'array';
  if (schema.type === 'object' || schema.type === undefined) {
    if (schema.properties !== undefined || isEmbedded(schema)) return 'object';
    if (valuesOf(schema) !== undefined) return 'map';
    return keepsUnknown(schema) || schema.type === undefined ? 'any' : 'object';
  }
  return 'scalar';
};

const listTypeOf = (schema: CustomSchema): SchemaNode['listType'] => {
  const declared = schema['x-kubernetes-list-type'];
  return declared === 'map' || declared === 'set' ? declared : 'atomic';
};

const scalar: SchemaNode = { ...anyNode, type: 'scalar', field: () => undefined, element: () => undefined };

const fieldOf = (schema: CustomSchema, name: string): SchemaNode | undefined => {
  if (isEmbedded(schema) && name === 'metadata') return definitionNode(OBJECT_META);
  const member = memberSchema(schema, name);
  if (member !== undefined) return schemaCursor(member);
  if (isEmbedded(schema) && (name === 'apiVersion' || name === 'kind')) return scalar;
  return keepsUnknown(schema) ? anyNode : undefined;
};

/** Nodes are made when they are first walked. */
export const schemaCursor = (schema: CustomSchema): SchemaNode => {
  const type = typeOf(schema);
  if (type === 'any') return anyNode;
  const fields = new Map<string, SchemaNode | undefined>();
  let element: SchemaNode | undefined;
  const elementNode = (): SchemaNode | undefined => {
    const of = type === 'array' ? schema.items : type === 'map' ? valuesOf(schema) : undefined;
    return (element ??= of === undefined ? undefined : schemaCursor(of));
  };
  return {
    type,
    field: (name) => {
      if (type === 'map') return elementNode();
      if (type !== 'object') return undefined;
      if (!fields.has(name)) fields.set(name, fieldOf(schema, name));
      return fields.get(name);
    },
    element: elementNode,
    patchStrategy: [],
    listType: listTypeOf(schema),
    listMapKeys: schema['x-kubernetes-list-map-keys'] ?? [],
    mapType: schema['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : 'granular',
    default: schema.default,
    format: schema.format,
  };
};

/** The root of a custom resource: whatever its schema says of metadata, it is what Kubernetes knows. */
export const rootCursor = (schema: CustomSchema): SchemaNode => {
  const root = schemaCursor(
    schema.properties === undefined && keepsUnknown(schema)
      ? { ...schema, type: 'object', properties: {} }
      : schema,
  );
  const metadata = definitionNode(OBJECT_META);
  return {
    ...root,
    type: 'object',
    field: (name) => {
      if (name === 'metadata') return metadata;
      if (name === 'apiVersion' || name === 'kind') return scalar;
      return propertyOf(schema, name) === undefined && keepsUnknown(schema) ? anyNode : root.field(name);
    },
  };
};
