// What Kubernetes reads of every object before any schema is asked: metadata, of the types that it has.
import type { FieldError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { invalid } from '../validation/field-errors.js';

const isText = (value: unknown): boolean =>
  typeof value === 'string' || value === null || value === undefined;

const texts = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'] as const;
const maps = ['labels', 'annotations'] as const;
const lists = ['finalizers', 'ownerReferences', 'managedFields'] as const;

/** Undefined, null and what is well-formed give nothing. */
export const checkMembers = (object: unknown): readonly FieldError[] => {
  const metadata = isObject(object) ? object['metadata'] : undefined;
  if (metadata === undefined || metadata === null) return [];
  if (!isObject(metadata)) return [invalid('metadata', metadata, 'must be an object')];
  return [
    ...texts
      .filter((name) => !isText(metadata[name]))
      .map((name) => invalid(`metadata.${name}`, metadata[name], 'must be of type string')),
    ...maps.flatMap((name) => {
      const map = metadata[name];
      if (map === undefined || map === null) return [];
      if (!isObject(map)) return [invalid(`metadata.${name}`, map, 'must be an object')];
      return Object.entries(map)
        .filter(([, value]) => typeof value !== 'string')
        .map(([key, value]) => invalid(`metadata.${name}[${key}]`, value, 'must be of type string'));
    }),
    ...lists
      .filter(
        (name) => metadata[name] !== undefined && metadata[name] !== null && !Array.isArray(metadata[name]),
      )
      .map((name) => invalid(`metadata.${name}`, metadata[name], 'must be a list')),
  ];
};
