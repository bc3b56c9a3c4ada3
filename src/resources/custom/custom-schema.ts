// The schema of a custom resource (JSONSchemaProps of apiextensions.k8s.io), and how its parts are found along a value.
import { isObject } from '../../base/json.js';
import type { JSONSchemaProps } from '../generated/types.js';

type Combined = 'items' | 'additionalProperties' | 'properties' | 'allOf' | 'anyOf' | 'oneOf' | 'not';

/** JSONSchemaProps with the members that the generated type leaves open. */
export interface CustomSchema extends Omit<JSONSchemaProps, Combined> {
  readonly items?: CustomSchema | undefined;
  readonly additionalProperties?: CustomSchema | boolean | undefined;
  readonly properties?: Readonly<Record<string, CustomSchema>> | undefined;
  readonly allOf?: readonly CustomSchema[] | undefined;
  readonly anyOf?: readonly CustomSchema[] | undefined;
  readonly oneOf?: readonly CustomSchema[] | undefined;
  readonly not?: CustomSchema | undefined;
}

export const keepsUnknown = (schema: CustomSchema): boolean =>
  schema['x-kubernetes-preserve-unknown-fields'] === true;

export const isIntOrString = (schema: CustomSchema): boolean => schema['x-kubernetes-int-or-string'] === true;

export const isEmbedded = (schema: CustomSchema): boolean =>
  schema['x-kubernetes-embedded-resource'] === true;

export const propertyOf = (schema: CustomSchema, name: string): CustomSchema | undefined =>
  Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined;

/** The schema of the values of a map; undefined for an object with named fields. */
export const valuesOf = ({ additionalProperties }: CustomSchema): CustomSchema | undefined => {
  if (additionalProperties === true) return {};
  return isObject(additionalProperties) ? additionalProperties : undefined;
};

/** Named field, or value of a map. */
export const memberSchema = (schema: CustomSchema, name: string): CustomSchema | undefined =>
  propertyOf(schema, name) ?? valuesOf(schema);

/** The members that Kubernetes itself knows of every object, and of those that are embedded in one. */
export const objectMembers: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);
