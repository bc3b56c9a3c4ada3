// What keeps a CustomResourceDefinition from being one, its schemas apart.
// Follows apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go`.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../generated/types.js';
import {
  allInvalid,
  duplicates,
  forbidden,
  immutable,
  invalid,
  notSupported,
  required,
} from '../validation/field-errors.js';
import { dns1035LabelErrors, dnsSubdomainErrors } from '../validation/names.js';
import type { CustomSchema } from './custom-schema.js';
import { memberSchema } from './custom-schema.js';
import { memberNames, parseJsonPath } from './json-path.js';
import { structuralErrors } from './structural-errors.js';

const namesErrors = ({ names }: CustomResourceDefinition['spec']): readonly FieldError[] => {
  const at = 'spec.names';
  return [
    ...allInvalid(child(at, 'plural'), names.plural, dns1035LabelErrors(names.plural)),
    ...allInvalid(child(at, 'singular'), names.singular ?? '', dns1035LabelErrors(names.singular ?? '')),
    ...(names.kind === ''
      ? [required(child(at, 'kind'))]
      : allInvalid(
          child(at, 'kind'),
          names.kind,
          dns1035LabelErrors(names.kind.toLowerCase()).map(
            (why) => `may have mixed case, but should otherwise match: ${why}`,
          ),
        )),
    ...allInvalid(
      child(at, 'listKind'),
      names.listKind ?? '',
      dns1035LabelErrors((names.listKind ?? '').toLowerCase()).map(
        (why) => `may have mixed case, but should otherwise match: ${why}`,
      ),
    ),
    ...(names.kind !== '' && names.kind === names.listKind
      ? [invalid(child(at, 'listKind'), names.listKind, 'kind and listKind may not be the same')]
      : []),
    ...(names.shortNames ?? []).flatMap((name, index) =>
      allInvalid(item(child(at, 'shortNames'), index), name, dns1035LabelErrors(name)),
    ),
    ...(names.categories ?? []).flatMap((name, index) =>
      allInvalid(item(child(at, 'categories'), index), name, dns1035LabelErrors(name)),
    ),
  ];
};

const columnTypes = ['integer', 'number', 'string', 'boolean', 'date'];

const pathErrors = (at: string, path: string): readonly FieldError[] =>
  parseJsonPath(path) === undefined || !path.startsWith('.')
    ? [invalid(at, path, 'is an invalid path: it must be a JSONPath such as .spec.replicas')]
    : [];

const replicaPath = (at: string, path: string | undefined, part: string): readonly FieldError[] => {
  if (path === undefined || path === '') return [required(at)];
  const names = memberNames(parseJsonPath(path) ?? []);
  if (names === undefined || names.length === 0)
    return [invalid(at, path, 'must be a simple json path without array notation')];
  return names[0] === part ? [] : [invalid(at, path, `should be a json path under .${part}`)];
};

const scaleErrors = (version: CustomResourceDefinitionVersion, at: string): readonly FieldError[] => {
  const scale = version.subresources?.scale;
  if (scale === undefined) return [];
  const selector = memberNames(parseJsonPath(scale.labelSelectorPath ?? '') ?? []);
  return [
    ...replicaPath(child(at, 'specReplicasPath'), scale.specReplicasPath, 'spec'),
    ...replicaPath(child(at, 'statusReplicasPath'), scale.statusReplicasPath, 'status'),
    ...(scale.labelSelectorPath === undefined ||
    scale.labelSelectorPath === '' ||
    selector?.[0] === 'spec' ||
    selector?.[0] === 'status'
      ? []
      : [
          invalid(
            child(at, 'labelSelectorPath'),
            scale.labelSelectorPath,
            'should be a json path under either .status or .spec',
          ),
        ]),
  ];
};

const fieldAt = (schema: CustomSchema | undefined, names: readonly string[]): CustomSchema | undefined =>
  names.reduce<CustomSchema | undefined>(
    (at, name) => (at === undefined ? undefined : memberSchema(at, name)),
    schema,
  );

const selectableErrors = (version: CustomResourceDefinitionVersion, at: string): readonly FieldError[] => {
  const fields = version.selectableFields ?? [];
  const schema = version.schema?.openAPIV3Schema as CustomSchema | undefined;
  const path = (index: number): string => child(item(at, index), 'jsonPath');
  return [
    ...(fields.length > 8 ? [invalid(at, fields.length, 'must have at most 8 items')] : []),
    ...duplicates(fields, ({ jsonPath }) => jsonPath, path),
    ...fields.flatMap(({ jsonPath }, index) => {
      const names = memberNames(parseJsonPath(jsonPath) ?? []);
      if (names === undefined || names.length === 0)
        return [
          invalid(path(index), jsonPath, 'is an invalid path: only simple paths to fields are allowed'),
        ];
      if (names[0] === 'metadata')
        return [invalid(path(index), jsonPath, 'must not point to fields in metadata')];
      const type = fieldAt(schema, names)?.type;
      return type === 'string' || type === 'boolean' || type === 'integer'
        ? []
        : [
            invalid(
              path(index),
              jsonPath,
              'must point to a field of type string, boolean or integer in the schema',
            ),
          ];
    }),
  ];
};

const versionErrors = (version: CustomResourceDefinitionVersion, at: string): readonly FieldError[] => {
  const schema = version.schema?.openAPIV3Schema as CustomSchema | undefined;
  return [
    ...allInvalid(child(at, 'name'), version.name, dns1035LabelErrors(version.name)),
    ...(schema === undefined
      ? [required(child(at, 'schema.openAPIV3Schema'), 'schemas are required')]
      : structuralErrors(schema, child(at, 'schema.openAPIV3Schema'))),
    ...(version.additionalPrinterColumns ?? []).flatMap((column, index) => {
      const place = item(child(at, 'additionalPrinterColumns'), index);
      return [
        ...(column.name === '' ? [required(child(place, 'name'))] : []),
        ...(columnTypes.includes(column.type)
          ? []
          : [notSupported(child(place, 'type'), column.type, columnTypes)]),
        ...pathErrors(child(place, 'jsonPath'), column.jsonPath),
      ];
    }),
    ...scaleErrors(version, child(at, 'subresources.scale')),
    ...selectableErrors(version, child(at, 'selectableFields')),
    ...(version.deprecationWarning !== undefined && version.deprecated !== true
      ? [
          invalid(
            child(at, 'deprecationWarning'),
            version.deprecationWarning,
            'can only be set for deprecated versions',
          ),
        ]
      : []),
  ];
};

const conversionErrors = ({ conversion }: CustomResourceDefinition['spec']): readonly FieldError[] => {
  if (conversion === undefined || conversion.strategy === 'None')
    return conversion?.webhook === undefined
      ? []
      : [forbidden('spec.conversion.webhook', 'should not be set when strategy is not set to Webhook')];
  if (conversion.strategy !== 'Webhook')
    return [notSupported('spec.conversion.strategy', conversion.strategy, ['None', 'Webhook'])];
  const { webhook } = conversion;
  const at = 'spec.conversion.webhook';
  if (webhook === undefined) return [required(at, 'required when strategy is set to Webhook')];
  const config = webhook.clientConfig;
  if ((config?.url === undefined) === (config?.service === undefined))
    return [required(child(at, 'clientConfig'), 'exactly one of url or service is required')];
  return webhook.conversionReviewVersions.includes('v1')
    ? []
    : [invalid(child(at, 'conversionReviewVersions'), webhook.conversionReviewVersions, 'must include v1')];
};

const isProtected = (group: string): boolean => /(^|\.)(k8s\.io|kubernetes\.io)$/.test(group);
const approval = 'api-approved.kubernetes.io';

const changeErrors = (
  { spec }: CustomResourceDefinition,
  old: CustomResourceDefinition,
): readonly FieldError[] => {
  const names = new Set(spec.versions.map(({ name }) => name));
  const established =
    old.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true;
  const frozen = (field: string, value: unknown, before: unknown): readonly FieldError[] =>
    value === before ? [] : [immutable(field, value)];
  return [
    ...frozen('spec.group', spec.group, old.spec.group),
    ...frozen('spec.names.plural', spec.names.plural, old.spec.names.plural),
    ...(established
      ? [
          ...frozen('spec.scope', spec.scope, old.spec.scope),
          ...frozen('spec.names.kind', spec.names.kind, old.spec.names.kind),
        ]
      : []),
    ...(old.status?.storedVersions ?? []).flatMap((version, index) =>
      names.has(version)
        ? []
        : [
            invalid(
              `status.storedVersions[${String(index)}]`,
              version,
              `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
            ),
          ],
    ),
  ];
};

export const definitionErrors = (
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): readonly FieldError[] => {
  const { metadata, spec } = definition;
  const expected = `${spec.names.plural}.${spec.group}`;
  const storages = spec.versions.filter(({ storage }) => storage).length;
  const wantsApproval =
    isProtected(spec.group) && (metadata.annotations?.[approval] ?? '') === '' && old === undefined;
  return [
    ...(metadata.name === expected
      ? []
      : [invalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`)]),
    ...allInvalid('spec.group', spec.group, dnsSubdomainErrors(spec.group)),
    ...(spec.group.includes('.') || spec.group === ''
      ? []
      : [invalid('spec.group', spec.group, 'should be a domain with at least one dot')]),
    ...(wantsApproval
      ? [
          required(
            `metadata.annotations[${approval}]`,
            'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
          ),
        ]
      : []),
    ...(['Cluster', 'Namespaced'].includes(spec.scope)
      ? []
      : [notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced'])]),
    ...(spec.preserveUnknownFields === true
      ? [
          invalid(
            'spec.preserveUnknownFields',
            true,
            'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
          ),
        ]
      : []),
    ...namesErrors(spec),
    ...(spec.versions.length === 0 ? [required('spec.versions', 'must have at least one version')] : []),
    ...(storages === 1 || spec.versions.length === 0
      ? []
      : [invalid('spec.versions', storages, 'must have exactly one version marked as storage version')]),
    ...duplicates(
      spec.versions,
      ({ name }) => name,
      (index) => `spec.versions[${String(index)}].name`,
    ),
    ...spec.versions.flatMap((version, index) => versionErrors(version, `spec.versions[${String(index)}]`)),
    ...conversionErrors(spec),
    ...(old === undefined ? [] : changeErrors(definition, old)),
  ];
};
