// What a schema says of lists and maps for server-side apply, and whether it can be meant.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import { forbidden, invalid, notSupported, required } from '../validation/field-errors.js';
import type { CustomSchema } from './custom-schema.js';

const isStructure = ({ type }: CustomSchema): boolean => type === 'object' || type === 'array';

const keyErrors = (schema: CustomSchema, path: string): readonly FieldError[] => {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const at = child(path, 'x-kubernetes-list-map-keys');
  if (keys.length === 0) return [required(at, 'must not be empty if x-kubernetes-list-type is map')];
  const { items } = schema;
  if (items?.type !== 'object')
    return [
      invalid(
        child(path, 'items.type'),
        items?.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    ];
  return keys.flatMap((key, index) => {
    const property = items.properties?.[key];
    if (property === undefined)
      return [invalid(item(at, index), key, 'entries must all be names of item properties')];
    if (isStructure(property))
      return [
        invalid(
          item(at, index),
          key,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      ];
    return items.required?.includes(key) === true || property.default !== undefined
      ? []
      : [
          required(
            `${child(path, 'items.properties')}[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        ];
  });
};

export const listErrors = (schema: CustomSchema, path: string): readonly FieldError[] => {
  const listType = schema['x-kubernetes-list-type'];
  const mapType = schema['x-kubernetes-map-type'];
  const errors: FieldError[] = [];
  if (listType !== undefined) {
    if (schema.type !== 'array')
      errors.push(
        invalid(
          child(path, 'type'),
          schema.type ?? '',
          'must be array if x-kubernetes-list-type is specified',
        ),
      );
    if (!['atomic', 'set', 'map'].includes(listType))
      errors.push(notSupported(child(path, 'x-kubernetes-list-type'), listType, ['atomic', 'set', 'map']));
    if (listType === 'map') errors.push(...keyErrors(schema, path));
    if (
      listType === 'set' &&
      schema.items !== undefined &&
      isStructure(schema.items) &&
      schema.items['x-kubernetes-map-type'] !== 'atomic' &&
      schema.items['x-kubernetes-list-type'] !== 'atomic'
    )
      errors.push(
        invalid(child(path, 'items'), schema.items.type ?? '', 'items of a set must be scalars, or atomic'),
      );
  }
  if (listType !== 'map' && schema['x-kubernetes-list-map-keys'] !== undefined)
    errors.push(
      forbidden(
        child(path, 'x-kubernetes-list-map-keys'),
        'must not be set if x-kubernetes-list-type is not map',
      ),
    );
  if (mapType !== undefined) {
    if (schema.type !== 'object')
      errors.push(
        invalid(
          child(path, 'type'),
          schema.type ?? '',
          'must be object if x-kubernetes-map-type is specified',
        ),
      );
    if (!['atomic', 'granular'].includes(mapType))
      errors.push(notSupported(child(path, 'x-kubernetes-map-type'), mapType, ['atomic', 'granular']));
  }
  return errors;
};
