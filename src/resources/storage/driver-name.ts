// Names of storage drivers: DNS names of at most 63 characters, whatever their case.
import type { FieldError } from '../../base/errors.js';
import { allInvalid, required } from '../validation/field-errors.js';
import { dnsSubdomainErrors } from '../validation/names.js';

const longest = 63;

export const csiDriverNameErrors = (field: string, name: string): readonly FieldError[] => {
  if (name === '') return [required(field)];
  return allInvalid(field, name, [
    ...(name.length > longest ? [`must be no more than ${String(longest)} bytes`] : []),
    ...dnsSubdomainErrors(name.toLowerCase()),
  ]);
};
