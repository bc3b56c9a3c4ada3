// ConfigMaps: configuration as texts and files.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { item } from '../field-path.js';
import type { ConfigMap } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { frozenErrors, keyErrors, sizeErrors } from '../validation/data.js';
import { invalid } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

const validate = (map: ConfigMap, old: ConfigMap | undefined): readonly FieldError[] => {
  const { metadata, data = {}, binaryData = {} } = map;
  return [
    ...nameErrors(metadata),
    ...keyErrors('data', data),
    ...keyErrors('binaryData', binaryData),
    ...Object.keys(data)
      .filter((key) => Object.hasOwn(binaryData, key))
      .map((key) => invalid(item('data', key), key, 'duplicate of key present in binaryData')),
    ...sizeErrors('data', Object.values(data), Object.values(binaryData)),
    ...frozenErrors(map, old, ['data', 'binaryData']),
  ];
};

export const configmaps = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.ConfigMap',
  subresources: [],
  generationFields: [],
  columns: [
    nameColumn,
    text(
      'Data',
      'Data contains the configuration data. Each key must consist of alphanumeric characters, "-", "_" or ".".',
      ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    ),
    ageColumn,
  ],
  validate,
});
