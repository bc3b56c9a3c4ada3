// RFC 7386 JSON Merge Patch.
import { isObject } from '../../base/json.js';

/** A new document that shares what did not change with the old one. */
export const mergePatch = (document: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = Object.assign(
    Object.create(null) as object,
    isObject(document) ? document : {},
  );
  for (const [key, value] of Object.entries(patch)) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a fresh copy, never shared
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return { ...merged };
};
