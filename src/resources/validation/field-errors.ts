// Field errors in the words of Kubernetes (apimachinery field.Error).
import type { FieldError } from '../../base/errors.js';

/** A value as messages show it, cut where it would drown the message. */
export const shown = (value: unknown): string => {
  const text = value === undefined ? 'null' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
};

export const required = (field: string, why?: string): FieldError => ({
  type: 'FieldValueRequired',
  field,
  message: why === undefined ? 'Required value' : `Required value: ${why}`,
});

export const invalid = (field: string, value: unknown, why: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${shown(value)}: ${why}`,
});

export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((one) => JSON.stringify(one)).join(', ')}`,
});

export const duplicate = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${shown(value)}`,
});

export const forbidden = (field: string, why: string): FieldError => ({
  type: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${why}`,
});

export const notFound = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueNotFound',
  field,
  message: `Not found: ${shown(value)}`,
});

export const tooLong = (field: string, limit: number): FieldError => ({
  type: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${String(limit)} bytes`,
});

/** What a syntax rule says of a value, as errors of a field. */
export const allInvalid = (
  field: string,
  value: string,
  problems: readonly string[],
): readonly FieldError[] => problems.map((why) => invalid(field, value, why));

/** Nothing for an absent value; an empty one is not among the supported. */
export const oneOf = (
  field: string,
  value: string | undefined,
  supported: readonly string[],
): readonly FieldError[] =>
  value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];

export const nonNegative = (field: string, value: number | undefined): readonly FieldError[] =>
  value !== undefined && value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : [];

export const immutable = (field: string, value: unknown): FieldError =>
  invalid(field, value, 'field is immutable');

/** Errors for every value that came before, at the path of its entry. */
export const duplicates = <T>(
  entries: readonly T[],
  keyOf: (entry: T) => string | undefined,
  fieldOf: (index: number) => string,
): readonly FieldError[] => {
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const key = keyOf(entry);
    if (key === undefined || key === '') return [];
    if (seen.has(key)) return [duplicate(fieldOf(index), key)];
    seen.add(key);
    return [];
  });
};
