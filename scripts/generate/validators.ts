// Compiles the definitions to validators ahead of time: compiling them at start would take a second.
import { Ajv } from 'ajv';
import type { AnySchemaObject } from 'ajv';
import standaloneModule from 'ajv/dist/standalone/index.js';
import type { Definition, Property } from './definitions.js';
import { patterns } from '../../src/resources/schema-patterns.js';

const standaloneCode = standaloneModule.default;

/**
 * Go's zero value stands in for these when a client leaves them out or writes null (as Go clients do for empty lists),
 * so the server cannot require them. Everything in a status is written by programs and is treated likewise.
 */
const lenient: ReadonlySet<string> = new Set(['io.k8s.api.discovery.v1.EndpointSlice.endpoints']);

/** OpenAPI lets these go without a spec, and Kubernetes refuses what Go's empty spec then lacks. */
const needSpec: ReadonlySet<string> = new Set([
  'io.k8s.api.core.v1.Pod',
  'io.k8s.api.core.v1.Service',
  'io.k8s.api.core.v1.ReplicationController',
  'io.k8s.api.apps.v1.Deployment',
  'io.k8s.api.apps.v1.ReplicaSet',
  'io.k8s.api.apps.v1.StatefulSet',
  'io.k8s.api.apps.v1.DaemonSet',
  'io.k8s.api.batch.v1.Job',
  'io.k8s.api.batch.v1.CronJob',
]);

const isStatus = (name: string): boolean => /Status$/.test(name) || name.endsWith('.NodeSystemInfo');

const int32 = { minimum: -2147483648, maximum: 2147483647 };

/** Kubernetes reads null as absent, so every field that may be absent may be null. */
const typed = (type: string | readonly string[], nullable: boolean): AnySchemaObject => {
  const all = [type].flat();
  return { type: nullable ? [...all, 'null'] : all.length === 1 ? all[0] : all };
};

const fieldSchema = (property: Property, nullable: boolean): AnySchemaObject | true => {
  if (property.$ref !== undefined) {
    const $ref = property.$ref.slice('#/components/schemas/'.length);
    return nullable ? { $ref } : { type: 'object', $ref };
  }
  if (property['x-kubernetes-int-or-string'] === true) return typed(['integer', 'string'], nullable);
  if (property.items !== undefined)
    return { ...typed('array', nullable), items: fieldSchema(property.items, false) };
  if (property.additionalProperties !== undefined)
    return {
      ...typed('object', nullable),
      additionalProperties: fieldSchema(property.additionalProperties, true),
    };
  switch (property.format) {
    case 'quantity':
      return { ...typed(['string', 'number'], nullable), pattern: patterns.quantity };
    case 'byte':
      return { ...typed('string', nullable), pattern: patterns.byte };
    case 'date-time':
      return { ...typed('string', nullable), pattern: patterns.dateTime };
    case 'int32':
      return { ...typed('integer', nullable), ...int32 };
    case undefined:
    default:
      return property.type === undefined ? true : typed(property.type, nullable);
  }
};

const definitionSchema = (name: string, definition: Definition): AnySchemaObject => {
  const required = [...(definition.required ?? []), ...(needSpec.has(name) ? ['spec'] : [])].filter(
    (field) => !isStatus(name) && !lenient.has(`${name}.${field}`),
  );
  const properties = Object.fromEntries(
    Object.entries(definition.properties ?? {}).map(([field, property]) => [
      field,
      fieldSchema(property, !required.includes(field)),
    ]),
  );
  return {
    $id: name,
    type: ['object', 'null'],
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(definition['x-kubernetes-preserve-unknown-fields'] === true ? {} : { additionalProperties: false }),
  };
};

/** A CommonJS module with one validating function for each root, keyed by the name of its definition. */
export const compileValidators = (definitions: Readonly<Record<string, Definition>>): string => {
  const ajv = new Ajv({
    allErrors: true,
    strict: false,
    inlineRefs: false,
    messages: false,
    validateSchema: false,
    validateFormats: false,
    addUsedSchema: false,
    code: { source: true, optimize: 1 },
  });
  for (const [name, definition] of Object.entries(definitions))
    ajv.addSchema(definitionSchema(name, definition), name);
  const roots = Object.keys(definitions).filter(
    (name) => definitions[name]?.['x-kubernetes-group-version-kind'] !== undefined,
  );
  const exported = Object.fromEntries(roots.map((name, index) => [`v${String(index)}`, name]));
  const code = standaloneCode(ajv, exported);
  const table = roots.map((name, index) => `${JSON.stringify(name)}:exports.v${String(index)}`);
  return `${code}\nmodule.exports={${table.join(',')}};\n`;
};
