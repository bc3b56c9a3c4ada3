// CustomResourceDefinitions: kinds that clients bring themselves.
import { isObject } from '../../base/json.js';
import { nameColumn, text } from '../columns.js';
import { definitionErrors } from '../custom/definition-errors.js';
import { withChanges, withDefaults } from '../defaults.js';
import type { CustomResourceConversion, CustomResourceDefinition } from '../generated/types.js';
import { defineKind } from '../kind.js';

type Spec = CustomResourceDefinition['spec'];

const defaultedConversion = (given: CustomResourceConversion | undefined): CustomResourceConversion => {
  const conversion = given ?? { strategy: 'None' };
  const service = conversion.webhook?.clientConfig?.service;
  if (conversion.webhook === undefined || service === undefined || service.port !== undefined)
    return conversion;
  const clientConfig = { ...conversion.webhook.clientConfig, service: { ...service, port: 443 } };
  return { ...conversion, webhook: { ...conversion.webhook, clientConfig } };
};

const defaultedSpec = (spec: Spec): Spec => {
  const names = isObject(spec.names)
    ? withDefaults(spec.names, {
        singular: spec.names.kind.toLowerCase(),
        listKind: `${spec.names.kind}List`,
      })
    : spec.names;
  return withChanges(spec, { names, conversion: defaultedConversion(spec.conversion) });
};

export const customresourcedefinitions = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  definition: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  subresources: ['status'],
  generationFields: ['spec'],
  columns: [
    nameColumn,
    text('Created At', 'When the definition was created.', ({ metadata }) => metadata.creationTimestamp),
  ],
  defaulted: (definition) => withChanges(definition, { spec: defaultedSpec(definition.spec) }),
  validate: definitionErrors,
});
