// Rules about a number of pods that is given as a count or as a part such as `25%`.
import type { FieldError } from '../../base/errors.js';
import { invalid, nonNegative } from './field-errors.js';

const percent = /^\d+%$/;

export const countErrors = (field: string, value: number | string | undefined): readonly FieldError[] => {
  if (value === undefined) return [];
  if (typeof value === 'number') return nonNegative(field, value);
  if (percent.test(value)) return [];
  return [
    invalid(
      field,
      value,
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ),
  ];
};

/** A part of the whole is at most the whole. */
export const percentErrors = (field: string, value: number | string | undefined): readonly FieldError[] =>
  typeof value === 'string' && percent.test(value) && parseInt(value, 10) > 100
    ? [invalid(field, value, 'must not be greater than 100%')]
    : [];

export const isNothing = (value: number | string | undefined): boolean =>
  value === undefined || value === 0 || (typeof value === 'string' && /^0+%$/.test(value));
