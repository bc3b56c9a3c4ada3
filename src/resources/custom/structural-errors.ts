// Is a schema structural? Only then can fields be pruned, defaulted and owned one by one.
// Follows apiextensions-apiserver `pkg/apiserver/schema/validation.go` and `pkg/apis/apiextensions/validation`.
import type { FieldError } from '../../base/errors.js';
import { messageOf } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { child, item } from '../field-path.js';
import { regularExpression } from '../cel/regular-expression.js';
import { forbidden, invalid, notSupported, required } from '../validation/field-errors.js';
import {
  isEmbedded,
  isIntOrString,
  keepsUnknown,
  memberSchema,
  objectMembers,
  propertyOf,
  valuesOf,
} from './custom-schema.js';
import type { CustomSchema } from './custom-schema.js';
import { defaultErrors } from './default-errors.js';
import { listErrors } from './list-errors.js';
import { compileRule, namesField } from './rules.js';

const types: ReadonlySet<string> = new Set(['array', 'boolean', 'integer', 'number', 'object', 'string']);

/** Parts of JSON Schema that a structural schema does without. */
const neverThere = [
  '$ref',
  'definitions',
  'dependencies',
  'patternProperties',
  'additionalItems',
  'id',
  '$schema',
] as const;

const forbiddenParts = (schema: CustomSchema, path: string): readonly FieldError[] => [
  ...neverThere
    .filter((name) => schema[name] !== undefined)
    .map((name) => forbidden(child(path, name), `${name} is not supported`)),
  ...(schema.uniqueItems === true
    ? [
        forbidden(
          child(path, 'uniqueItems'),
          'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
        ),
      ]
    : []),
  ...(schema.additionalProperties === false
    ? [forbidden(child(path, 'additionalProperties'), 'additionalProperties cannot be set to false')]
    : []),
  ...(schema.additionalProperties !== undefined && schema.properties !== undefined
    ? [
        forbidden(
          child(path, 'additionalProperties'),
          'additionalProperties and properties are mutual exclusive',
        ),
      ]
    : []),
  ...(Array.isArray(schema.items)
    ? [forbidden(child(path, 'items'), 'items must be a schema object and not an array')]
    : []),
];

type Level = 'root' | 'field' | 'item';

const typeErrors = (schema: CustomSchema, path: string, level: Level): readonly FieldError[] => {
  const at = child(path, 'type');
  if (schema.type !== undefined && !types.has(schema.type))
    return [notSupported(at, schema.type, [...types])];
  if (level === 'root') {
    if (schema.type === undefined) return [required(at, 'must not be empty at the root')];
    return schema.type === 'object' ? [] : [invalid(at, schema.type, 'must be object at the root')];
  }
  if (isIntOrString(schema))
    return schema.type === undefined
      ? []
      : [invalid(at, schema.type, 'must be empty if x-kubernetes-int-or-string is true')];
  if (isEmbedded(schema) && schema.type !== 'object')
    return [invalid(at, schema.type ?? '', 'must be object if x-kubernetes-embedded-resource is true')];
  if (schema.type !== undefined || keepsUnknown(schema)) return [];
  return [
    required(
      at,
      level === 'item'
        ? 'must not be empty for specified array items'
        : 'must not be empty for specified object fields',
    ),
  ];
};

const shapeErrors = (schema: CustomSchema, path: string): readonly FieldError[] => [
  ...(schema.type === 'array' && schema.items === undefined
    ? [required(child(path, 'items'), 'must be specified')]
    : []),
  ...(isEmbedded(schema) && schema.properties === undefined && !keepsUnknown(schema)
    ? [
        required(
          child(path, 'properties'),
          'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
        ),
      ]
    : []),
  ...patternErrors(schema, path),
  ...listErrors(schema, path),
];

const patternErrors = ({ pattern }: CustomSchema, path: string): readonly FieldError[] => {
  if (pattern === undefined) return [];
  try {
    regularExpression(pattern);
    return [];
  } catch (error) {
    return [
      invalid(
        child(path, 'pattern'),
        pattern,
        `must be a valid regular expression, but isn't: ${messageOf(error)}`,
      ),
    ];
  }
};

/** Of a part of `allOf` and its sisters: it restricts values, it describes none. */
const describing = ['type', 'default', 'additionalProperties', 'nullable', 'title', 'description'] as const;
const extensions = [
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
] as const;

const isTypeChoice = (outer: CustomSchema, part: CustomSchema): boolean =>
  isIntOrString(outer) && (part.type === 'integer' || part.type === 'string');

const restrictionErrors = (part: CustomSchema, path: string, outer: CustomSchema): readonly FieldError[] => [
  ...[...describing, ...extensions]
    .filter((name) => part[name] !== undefined && !(name === 'type' && isTypeChoice(outer, part)))
    .map((name) => forbidden(child(path, name), 'must be empty to be structural')),
  ...Object.entries(part.properties ?? {}).flatMap(([name, property]) => {
    const at = item(child(path, 'properties'), name);
    const described = memberSchema(outer, name);
    if (described === undefined)
      return keepsUnknown(outer)
        ? []
        : [required(at, `because it is defined in ${path} and must be described by the schema around it`)];
    return restrictionErrors(property, at, described);
  }),
  ...(part.items === undefined ? [] : restrictionErrors(part.items, child(path, 'items'), outer.items ?? {})),
  ...combinations(part, path, outer),
];

const combinations = (schema: CustomSchema, path: string, outer: CustomSchema): readonly FieldError[] => [
  ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) =>
    (schema[name] ?? []).flatMap((part, index) =>
      restrictionErrors(part, item(child(path, name), index), outer),
    ),
  ),
  ...(schema.not === undefined ? [] : restrictionErrors(schema.not, child(path, 'not'), outer)),
];

const ruleProblems = (schema: CustomSchema, path: string, isRoot: boolean): readonly FieldError[] =>
  (schema['x-kubernetes-validations'] ?? []).flatMap((rule, index) => {
    const at = item(child(path, 'x-kubernetes-validations'), index);
    if (rule.rule.trim() === '') return [required(child(at, 'rule'), 'rule is not specified')];
    if (rule.message?.includes('\n') === true)
      return [invalid(child(at, 'message'), rule.message, 'message must not contain line breaks')];
    try {
      compileRule(rule, schema, isRoot);
    } catch (error) {
      return [invalid(child(at, 'rule'), rule.rule, `compilation failed: ${messageOf(error)}`)];
    }
    if (rule.fieldPath !== undefined && !namesField(rule.fieldPath, schema))
      return [
        invalid(
          child(at, 'fieldPath'),
          rule.fieldPath,
          'fieldPath must be a valid path to a field of the schema',
        ),
      ];
    return [];
  });

/** The root's metadata is what Kubernetes says; a schema may only restrict names. */
const metadataErrors = (schema: CustomSchema, path: string): readonly FieldError[] => {
  const metadata = propertyOf(schema, 'metadata');
  if (metadata === undefined) return [];
  const at = item(child(path, 'properties'), 'metadata');
  const others = Object.keys(metadata.properties ?? {}).filter(
    (name) => name !== 'name' && name !== 'generateName',
  );
  return [
    ...(metadata.type === 'object'
      ? []
      : [invalid(child(at, 'type'), metadata.type ?? '', 'must be object')]),
    ...(others.length > 0 || metadata.additionalProperties !== undefined
      ? [
          forbidden(
            at,
            'must not specify anything other than name and generateName, but metadata is implicitly specified',
          ),
        ]
      : []),
  ];
};

const schemaErrors = (schema: CustomSchema, path: string, level: Level): readonly FieldError[] => {
  if (typeof schema !== 'object') return [invalid(path, schema, 'must be a schema')];
  const values = valuesOf(schema);
  const items: unknown = schema.items;
  const isResource = level === 'root' || isEmbedded(schema);
  return [
    ...forbiddenParts(schema, path),
    ...typeErrors(schema, path, level),
    ...shapeErrors(schema, path),
    ...combinations(schema, path, schema),
    ...defaultErrors(schema, path, level === 'root'),
    ...ruleProblems(schema, path, level === 'root'),
    ...(isResource ? metadataErrors(schema, path) : []),
    ...Object.entries(schema.properties ?? {})
      .filter(([name]) => !(isResource && objectMembers.has(name)))
      .flatMap(([name, property]) => schemaErrors(property, item(child(path, 'properties'), name), 'field')),
    ...(values === undefined || schema.additionalProperties === true
      ? []
      : schemaErrors(values, child(path, 'additionalProperties'), 'field')),
    ...(isObject(items) ? schemaErrors(items, child(path, 'items'), 'item') : []),
  ];
};

export const structuralErrors = (schema: CustomSchema, path: string): readonly FieldError[] =>
  schemaErrors(schema, path, 'root');
