// IngressClasses: which controller looks after Ingresses of the class.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import type { IngressClass, IngressClassParametersReference } from '../generated/types.js';
import { defineKind } from '../kind.js';
import {
  allInvalid,
  forbidden,
  immutable,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsLabelErrors, dnsSubdomainErrors, domainPathErrors } from '../validation/names.js';

const longestController = 250;

const parametersText = ({ spec }: IngressClass): string => {
  const { parameters } = spec;
  if (parameters === undefined) return '<none>';
  const group = (parameters.apiGroup ?? '') === '' ? '' : `.${parameters.apiGroup ?? ''}`;
  return `${parameters.kind}${group}/${parameters.name}`;
};

const defaulted = (ingressClass: IngressClass): IngressClass => {
  // A draft's spec may be missing, whatever the type of an accepted class says.
  const spec = (ingressClass.spec as IngressClass['spec'] | undefined) ?? {};
  return withChanges(ingressClass, {
    spec: withChanges(spec, {
      parameters: spec.parameters && withDefaults(spec.parameters, { scope: 'Cluster' }),
    }),
  });
};

const scopeErrors = ({ scope, namespace }: IngressClassParametersReference): readonly FieldError[] => {
  const at = 'spec.parameters.namespace';
  switch (scope) {
    case 'Cluster':
      return namespace === undefined ? [] : [forbidden(at, "`parameters.scope` is set to 'Cluster'")];
    case 'Namespace':
      return (namespace ?? '') === ''
        ? [required(at, "`parameters.scope` is set to 'Namespace'")]
        : allInvalid(at, namespace ?? '', dnsLabelErrors(namespace ?? ''));
    case undefined:
    default:
      return [notSupported('spec.parameters.scope', scope, ['Cluster', 'Namespace'])];
  }
};

const parametersErrors = (parameters: IngressClassParametersReference): readonly FieldError[] => {
  const { apiGroup = '', kind, name } = parameters;
  return [
    ...(apiGroup === ''
      ? []
      : allInvalid('spec.parameters.apiGroup', apiGroup, dnsSubdomainErrors(apiGroup))),
    ...(kind === '' ? [required('spec.parameters.kind')] : []),
    ...(name === '' ? [required('spec.parameters.name')] : []),
    ...['/', '%']
      .filter((character) => name.includes(character))
      .map((character) => invalid('spec.parameters.name', name, `may not contain '${character}'`)),
    ...scopeErrors(parameters),
  ];
};

const validate = ({ metadata, spec }: IngressClass, old: IngressClass | undefined): readonly FieldError[] => {
  const { controller = '', parameters } = spec;
  return [
    ...nameErrors(metadata),
    ...(controller.length > longestController ? [tooLong('spec.controller', longestController)] : []),
    ...(controller === ''
      ? [required('spec.controller')]
      : allInvalid('spec.controller', controller, domainPathErrors(controller))),
    ...(parameters === undefined ? [] : parametersErrors(parameters)),
    ...(old !== undefined && old.spec.controller !== spec.controller
      ? [immutable('spec.controller', controller)]
      : []),
  ];
};

export const ingressclasses = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  definition: 'io.k8s.api.networking.v1.IngressClass',
  generationFields: ['spec'],
  columns: [
    nameColumn,
    text(
      'Controller',
      'Controller that is responsible for handling this class',
      ({ spec }) => spec.controller ?? '',
    ),
    text('Parameters', 'A reference to a resource with additional parameters', parametersText),
    ageColumn,
  ],
  defaulted,
  validate,
});
