// `x-kubernetes-validations`: the rules of a schema, compiled once, run for each value that they stand at.
// Follows apiextensions-apiserver `pkg/apiserver/schema/cel`.
import type { ASTNode } from '@marcbachmann/cel-js';
import { Optional } from '@marcbachmann/cel-js';
import type { FieldError } from '../../base/errors.js';
import { messageOf } from '../../base/errors.js';
import { canonical, isObject } from '../../base/json.js';
import type { Expression } from '../cel/expression.js';
import { compile } from '../cel/expression.js';
import { celEnvironment } from '../cel/library.js';
import { celName, schemaCel } from '../cel/values.js';
import { child, item } from '../field-path.js';
import type { ValidationRule } from '../generated/types.js';
import { isEmbedded, keepsUnknown, memberSchema, propertyOf, valuesOf } from './custom-schema.js';
import type { CustomSchema } from './custom-schema.js';
import { memberNames, parseJsonPath } from './json-path.js';
import { typeName } from './validate-value.js';

interface Rule {
  readonly rule: ValidationRule;
  readonly expression: Expression;
  readonly message: Expression | undefined;
  /** Looks at the value before the change. */
  readonly isTransition: boolean;
}

// Making an environment is expensive, and these never change.
const plain = celEnvironment(['self', 'oldSelf']);
const optional = celEnvironment(['self', 'oldSelf'], { oldSelf: 'optional<dyn>' });

/** What stands at the root of an object beside the fields of its schema. */
const rootNames: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** The schema of a chain such as `self.spec.list`; undefined where it leads to what nobody has described. */
const schemaAt = (node: ASTNode, schema: CustomSchema, isRoot: boolean): CustomSchema | undefined => {
  if (node.op === 'id') return node.args === 'self' || node.args === 'oldSelf' ? schema : undefined;
  if (node.op === '[]') {
    const parent = schemaAt(node.args[0], schema, isRoot);
    return parent === undefined ? undefined : (parent.items ?? valuesOf(parent));
  }
  if (node.op !== '.') return undefined;
  const [object, name] = node.args;
  const parent = schemaAt(object, schema, isRoot);
  if (parent === undefined) return undefined;
  if (isRoot && object.op === 'id' && rootNames.has(name)) return undefined;
  if (isEmbedded(parent) && rootNames.has(name)) return undefined;
  const values = valuesOf(parent);
  if (values !== undefined) return values;
  const found = Object.entries(parent.properties ?? {}).find(([property]) => celName(property) === name);
  if (found !== undefined) return found[1];
  const described = parent.type !== undefined || parent.properties !== undefined;
  if (described) throw new Error(`undefined field '${name}'`);
  return undefined;
};

const checkFields = (node: unknown, schema: CustomSchema, isRoot: boolean): void => {
  if (Array.isArray(node)) {
    for (const one of node) checkFields(one, schema, isRoot);
    return;
  }
  if (!isObject(node) || !('op' in node)) return;
  schemaAt(node as unknown as ASTNode, schema, isRoot);
  checkFields(node['args'], schema, isRoot);
};

/** Throws with the reason why a rule cannot be one. */
export const compileRule = (rule: ValidationRule, schema: CustomSchema, isRoot: boolean): Rule => {
  const environment = rule.optionalOldSelf === true ? optional : plain;
  const expression = compile(environment, rule.rule);
  if (expression.type !== 'bool' && expression.type !== 'dyn')
    throw new Error(`cel expression must evaluate to a bool, not ${expression.type}`);
  checkFields(expression.ast, schema, isRoot);
  const { messageExpression } = rule;
  const message = messageExpression === undefined ? undefined : compile(environment, messageExpression);
  return { rule, expression, message, isTransition: expression.names.has('oldSelf') };
};

// A memo of a pure function: rules by the schema that they stand in.
const compiled = new WeakMap<CustomSchema, readonly (Rule | { readonly broken: string })[]>();

const rulesOf = (schema: CustomSchema, isRoot: boolean): readonly (Rule | { readonly broken: string })[] => {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const made = (schema['x-kubernetes-validations'] ?? []).map((rule) => {
    try {
      return compileRule(rule, schema, isRoot);
    } catch (error) {
      return { broken: messageOf(error) };
    }
  });
  compiled.set(schema, made);
  return made;
};

const hasRulesMemo = new WeakMap<CustomSchema, boolean>();

/** Most schemas have no rules at all, or only in places. */
export const hasRules = (schema: CustomSchema): boolean => {
  const known = hasRulesMemo.get(schema);
  if (known !== undefined) return known;
  const values = valuesOf(schema);
  const found =
    (schema['x-kubernetes-validations'] ?? []).length > 0 ||
    Object.values(schema.properties ?? {}).some(hasRules) ||
    (schema.items !== undefined && hasRules(schema.items)) ||
    (values !== undefined && hasRules(values));
  hasRulesMemo.set(schema, found);
  return found;
};

/** The value before, by itself or unknown: lists are followed only where their elements have keys. */
type Old = { readonly value: unknown } | undefined;

const oldMember = (old: Old, name: string): Old =>
  isObject(old?.value) && Object.hasOwn(old.value, name) ? { value: old.value[name] } : undefined;

const oldItem = (schema: CustomSchema, old: Old, entry: unknown): Old => {
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old?.value) || !isObject(entry))
    return undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const keyOf = (one: unknown): string =>
    canonical(
      keys.map((key) => (isObject(one) ? (one[key] ?? schema.items?.properties?.[key]?.default) : undefined)),
    );
  const wanted = keyOf(entry);
  const found = old.value.find((one: unknown) => keyOf(one) === wanted) as unknown;
  return found === undefined ? undefined : { value: found };
};

const rootCel = (schema: CustomSchema, value: unknown): unknown => {
  const made = schemaCel(schema, value);
  if (!isObject(made) || !isObject(value)) return made;
  const metadata = isObject(value['metadata']) ? value['metadata'] : {};
  const { name, generateName } = metadata;
  return {
    ...made,
    apiVersion: value['apiVersion'],
    kind: value['kind'],
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(generateName === undefined ? {} : { generateName }),
    },
  };
};

interface Place {
  readonly path: string;
  readonly isRoot: boolean;
  readonly old: Old;
}

const failure = (rule: ValidationRule, why: string, value: unknown, path: string): FieldError => {
  const at = rule.fieldPath === undefined ? path : `${path}${rule.fieldPath}`.replace(/^\./, '');
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return { type: 'FieldValueForbidden', field: at, message: `Forbidden: ${why}` };
    case 'FieldValueRequired':
      return { type: 'FieldValueRequired', field: at, message: `Required value: ${why}` };
    case 'FieldValueDuplicate':
      return {
        type: 'FieldValueDuplicate',
        field: at,
        message: `Duplicate value: ${JSON.stringify(typeName(value))}: ${why}`,
      };
    case undefined:
    default:
      return {
        type: 'FieldValueInvalid',
        field: at,
        message: `Invalid value: ${JSON.stringify(typeName(value))}: ${why}`,
      };
  }
};

const messageFor = ({ rule, message }: Rule, variables: Readonly<Record<string, unknown>>): string => {
  const fallback = rule.message ?? `failed rule: ${rule.rule.trim().replaceAll(/\s+/g, ' ')}`;
  if (message === undefined) return fallback;
  try {
    const text = message.run(variables);
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text : fallback;
  } catch {
    // A message that cannot be made must not hide that the rule failed.
    return fallback;
  }
};

const ownErrors = (
  schema: CustomSchema,
  value: unknown,
  { path, isRoot, old }: Place,
): readonly FieldError[] => {
  const rules = rulesOf(schema, isRoot);
  if (rules.length === 0) return [];
  const cel = isRoot ? rootCel : schemaCel;
  const self = cel(schema, value);
  const before = old === undefined ? undefined : cel(schema, old.value);
  return rules.flatMap((rule) => {
    if ('broken' in rule) return [];
    const mayLack = rule.rule.optionalOldSelf === true;
    if (rule.isTransition && !mayLack && before === undefined) return [];
    const oldSelf = mayLack ? (before === undefined ? Optional.none() : Optional.of(before)) : before;
    const variables = { self, ...(rule.isTransition ? { oldSelf } : {}) };
    try {
      if (rule.expression.run(variables) === true) return [];
      return [failure(rule.rule, messageFor(rule, variables), value, path)];
    } catch (error) {
      const why = `rule evaluation error: ${messageOf(error)} evaluating rule: ${rule.rule.message ?? rule.rule.rule}`;
      return [failure({ rule: rule.rule.rule }, why, value, path)];
    }
  });
};

/** What the rules say of a value that fits its schema; `old` is the same value before the change. */
export const ruleErrors = (schema: CustomSchema, value: unknown, place: Place): readonly FieldError[] => {
  if (!hasRules(schema) || value === null || value === undefined) return [];
  const errors = [...ownErrors(schema, value, place)];
  const { items } = schema;
  if (Array.isArray(value) && items !== undefined)
    value.forEach((entry: unknown, index) => {
      const old = oldItem(schema, place.old, entry);
      errors.push(...ruleErrors(items, entry, { path: item(place.path, index), isRoot: false, old }));
    });
  if (isObject(value))
    for (const [name, member] of Object.entries(value)) {
      const found = memberSchema(schema, name);
      if (found === undefined) continue;
      const path = propertyOf(schema, name) === undefined ? item(place.path, name) : child(place.path, name);
      errors.push(...ruleErrors(found, member, { path, isRoot: false, old: oldMember(place.old, name) }));
    }
  return errors;
};

/** Whether a fieldPath of a rule names a field of its schema. */
export const namesField = (fieldPath: string, schema: CustomSchema): boolean => {
  const steps = memberNames(parseJsonPath(fieldPath) ?? []);
  if (steps === undefined || steps.length === 0) return false;
  let at: CustomSchema | undefined = schema;
  for (const step of steps)
    at = at === undefined ? undefined : keepsUnknown(at) ? {} : memberSchema(at, step);
  return at !== undefined;
};
