// Short ways to write definitions by hand, in the form in which Kubernetes' own ones are generated.
import type { Definition, Property } from './definitions.js';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const ref = (name: string): Property => ({ $ref: `#/components/schemas/${name}` });
/** With a description of its own, which stands beside the reference. */
export const described = (property: Property, description: string): Property => ({
  ...property,
  description,
});
export const text = (description: string): Property => ({ type: 'string', description });
export const time = (description: string): Property => ({ type: 'string', format: 'date-time', description });
export const integer = (description: string): Property => ({ type: 'integer', format: 'int32', description });
export const flag = (description: string): Property => ({ type: 'boolean', description });
export const intOrString = (description: string): Property => ({
  'x-kubernetes-int-or-string': true,
  description,
});
/** Anything, kept as it is. */
export const any = (description: string): Property => ({
  'x-kubernetes-preserve-unknown-fields': true,
  description,
});
export const list = (items: Property, description: string): Property => ({
  type: 'array',
  items,
  description,
});
/** A list whose entries server-side apply tells apart by a key. */
export const listBy = (key: string, items: Property, description: string): Property => ({
  ...list(items, description),
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
  'x-kubernetes-patch-merge-key': key,
  'x-kubernetes-patch-strategy': 'merge',
});
export const map = (additionalProperties: Property, description: string): Property => ({
  type: 'object',
  additionalProperties,
  description,
});

export const record = (
  description: string,
  properties: Record<string, Property>,
  required: string[] = [],
): Definition => ({ type: 'object', description, properties, ...(required.length > 0 ? { required } : {}) });

export interface TopLevel {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly description: string;
}

/** A kind of its own: metadata and what stands beside it. */
export const topLevel = (
  { group, version, kind, description }: TopLevel,
  fields: Record<string, Property>,
): Definition => ({
  ...record(description, {
    apiVersion: text('Version of the schema of this object.'),
    kind: text('Kind of this object.'),
    metadata: described(ref(`${meta}.ObjectMeta`), 'Standard object metadata.'),
    ...fields,
  }),
  'x-kubernetes-group-version-kind': [{ group, version, kind }],
});
