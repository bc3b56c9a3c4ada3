// A default must be a value that its own schema allows, complete and without unknown fields.
import type { FieldError } from '../../base/errors.js';
import { child } from '../field-path.js';
import { forbidden, invalid } from '../validation/field-errors.js';
import type { CustomSchema } from './custom-schema.js';
import { fillDefaults } from './fill-defaults.js';
import { pruneValue } from './prune.js';
import { ruleErrors } from './rules.js';
import { valueErrors } from './validate-value.js';

export const defaultErrors = (schema: CustomSchema, path: string, isRoot: boolean): readonly FieldError[] => {
  const { default: value } = schema;
  const at = child(path, 'default');
  if (value === undefined) return [];
  if (isRoot) return [forbidden(at, 'must not be set at the root')];
  if (value === null && schema.nullable !== true) return [];
  const { object, unknown } = pruneValue(schema, value);
  if (unknown.length > 0) return [invalid(at, value, `must not have unknown fields: ${unknown.join(', ')}`)];
  const filled = fillDefaults(schema, object);
  const errors = valueErrors(schema, filled, at);
  return errors.length > 0 ? errors : ruleErrors(schema, filled, { path: at, isRoot: false, old: undefined });
};
