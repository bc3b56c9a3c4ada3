// What the schema of a custom resource says of a string or a number.
import type { FieldError } from '../../base/errors.js';
import { invalid, tooLong } from '../validation/field-errors.js';
import type { CustomSchema } from './custom-schema.js';
import { fitsFormat, fitsNumber } from './formats.js';
import { finds } from '../cel/regular-expression.js';

/** Go counts code points, JavaScript halves of them. */
const lengthOf = (text: string): number => Array.from(text).length;

export const stringErrors = (schema: CustomSchema, value: string, path: string): readonly FieldError[] => {
  const { minLength, maxLength, pattern, format } = schema;
  const errors: FieldError[] = [];
  const refuse = (why: string): void => {
    errors.push(invalid(path, value, `${path} in body ${why}`));
  };
  if (maxLength !== undefined && value.length > maxLength && lengthOf(value) > maxLength)
    errors.push(tooLong(path, maxLength));
  if (minLength !== undefined && lengthOf(value) < minLength)
    refuse(`should be at least ${String(minLength)} chars long`);
  if (pattern !== undefined && !finds(pattern, value)) refuse(`should match '${pattern}'`);
  if (format !== undefined && !fitsFormat(format, value))
    refuse(`must be of type ${format}: ${JSON.stringify(value)}`);
  return errors;
};

export const numberErrors = (schema: CustomSchema, value: number, path: string): readonly FieldError[] => {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = schema;
  const errors: FieldError[] = [];
  const refuse = (why: string): void => {
    errors.push(invalid(path, value, `${path} in body ${why}`));
  };
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum))
    refuse(
      exclusiveMinimum === true
        ? `should be greater than ${String(minimum)}`
        : `should be greater than or equal to ${String(minimum)}`,
    );
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum))
    refuse(
      exclusiveMaximum === true
        ? `should be less than ${String(maximum)}`
        : `should be less than or equal to ${String(maximum)}`,
    );
  if (multipleOf !== undefined && multipleOf > 0 && !isMultiple(value, multipleOf))
    refuse(`should be a multiple of ${String(multipleOf)}`);
  if (format !== undefined && !fitsNumber(format, value))
    refuse(`must be of type ${format}: ${JSON.stringify(String(value))}`);
  return errors;
};

/** 0.3 is a multiple of 0.1, whatever binary fractions make of it. */
const isMultiple = (value: number, of: number): boolean => {
  const ratio = value / of;
  return Math.abs(ratio - Math.round(ratio)) < 1e-9;
};
