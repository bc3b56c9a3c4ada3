// Rules that ConfigMaps and Secrets share: keys, size, and being frozen for good.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { item } from '../field-path.js';
import { allInvalid, forbidden, tooLong } from './field-errors.js';
import { configKeyErrors } from './names.js';

/** One MiB over all values together. */
export const dataLimit = 1024 * 1024;

export const keyErrors = (
  field: string,
  data: { readonly [key: string]: unknown } | undefined,
): readonly FieldError[] =>
  Object.keys(data ?? {}).flatMap((key) => allInvalid(item(field, key), key, configKeyErrors(key)));

const utf8Length = (text: string): number => Buffer.byteLength(text);

/** Bytes that base64 text stands for. */
const base64Length = (text: string): number => Buffer.byteLength(text, 'base64');

export const sizeErrors = (
  field: string,
  texts: readonly string[],
  encoded: readonly string[],
): readonly FieldError[] => {
  let size = 0;
  for (const text of texts) size += utf8Length(text);
  for (const text of encoded) size += base64Length(text);
  return size > dataLimit ? [tooLong(field, dataLimit)] : [];
};

const frozen = 'field is immutable when `immutable` is set';

/** What `immutable: true` forbids; `fields` are those that hold the data. */
export const frozenErrors = <T extends { readonly immutable?: boolean | undefined }>(
  object: T,
  old: T | undefined,
  fields: readonly (keyof T & string)[],
): readonly FieldError[] => {
  if (old?.immutable !== true) return [];
  return [
    ...(object.immutable === true ? [] : [forbidden('immutable', frozen)]),
    ...fields
      .filter((field) => !equal(object[field] ?? {}, old[field] ?? {}))
      .map((field) => forbidden(field, frozen)),
  ];
};
