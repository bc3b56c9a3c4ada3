// `metadata.labels['app']`, `status.canary.weights`: a field of an object as a text, as `valueFrom.fieldRef` names it.
import { isObject } from '../../base/json.js';

const step = /(?:^|\.)([A-Za-z0-9_-]+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]/y;

/** Undefined for a path that leads nowhere. */
export const fieldAt = (object: unknown, path: string): string | undefined => {
  let value = object;
  let at = 0;
  while (at < path.length) {
    step.lastIndex = at;
    const found = step.exec(path);
    if (found === null) return undefined;
    at = step.lastIndex;
    const key = found[1] ?? found[2] ?? found[3] ?? found[4] ?? '';
    if (Array.isArray(value)) value = value[Number(key)] as unknown;
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
};
