// Ingresses: which Service answers for a host and a path from outside.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import { child, item } from '../field-path.js';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressTLS,
} from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { allInvalid, invalid, notSupported, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import {
  dns1035LabelErrors,
  dnsSubdomainErrors,
  ipFamilyOf,
  portNameErrors,
  portNumberErrors,
  wildcardErrors,
} from '../validation/names.js';

const classAnnotation = 'kubernetes.io/ingress.class';

const shownHosts = 3;

/** Hosts of the first rules, and how many rules there are beyond them. */
const hostsText = (rules: readonly IngressRule[]): string => {
  const list: string[] = [];
  let more = false;
  for (const { host = '' } of rules)
    if (list.length === shownHosts) more = true;
    else if (host !== '') list.push(host);
  if (list.length === 0) return '*';
  return more ? `${list.join(',')} + ${String(rules.length - shownHosts)} more...` : list.join(',');
};

const columns: readonly Column<Ingress>[] = [
  nameColumn,
  text(
    'Class',
    'The name of the IngressClass that is responsible.',
    ({ metadata, spec }) => spec.ingressClassName ?? metadata.annotations?.[classAnnotation] ?? '<none>',
  ),
  text('Hosts', 'Hosts that this ingress is about.', ({ spec }) => hostsText(spec.rules ?? [])),
  text('Address', 'Where the ingress can be reached.', ({ status }) =>
    (status?.loadBalancer?.ingress ?? [])
      .map(({ ip, hostname }) => ip || hostname || '')
      .filter((address) => address !== '')
      .join(','),
  ),
  text('Ports', 'Ports that are open for it.', ({ spec }) =>
    (spec.tls ?? []).length > 0 ? '80, 443' : '80',
  ),
  ageColumn,
];

const defaulted = (ingress: Ingress): Ingress =>
  withChanges(ingress, {
    // A draft's spec may be missing, whatever the type of an accepted ingress says.
    spec: (ingress.spec as Ingress['spec'] | undefined) ?? {},
    status: withDefaults(ingress.status ?? {}, { loadBalancer: {} }),
  });

const backendErrors = (field: string, { resource, service }: IngressBackend): readonly FieldError[] => {
  if (resource !== undefined && service !== undefined)
    return [invalid(field, '', 'cannot set both resource and service backends')];
  if (resource !== undefined)
    return [
      ...(resource.kind === '' ? [required(child(field, 'resource.kind'))] : []),
      ...(resource.name === '' ? [required(child(field, 'resource.name'))] : []),
    ];
  if (service === undefined) return [required(field, 'resource or service backend is required')];
  const { name: portName = '', number: portNumber = 0 } = service.port ?? {};
  const at = child(field, 'service');
  const port = child(at, 'port');
  const portErrors =
    portName !== '' && portNumber !== 0
      ? [invalid(field, '', 'cannot set both port name & port number')]
      : portName !== ''
        ? allInvalid(child(port, 'name'), portName, portNameErrors(portName))
        : portNumber !== 0
          ? portNumberErrors(portNumber).map((why) => invalid(child(port, 'number'), portNumber, why))
          : [required(field, 'port name or number is required')];
  return [
    ...(service.name === ''
      ? [required(child(at, 'name'))]
      : allInvalid(child(at, 'name'), service.name, dns1035LabelErrors(service.name))),
    ...portErrors,
  ];
};

const within = ['//', '/./', '/../', '%2f', '%2F'];
const atEnd = ['/..', '/.'];

const pathErrors = (
  field: string,
  { path = '', pathType, backend }: HTTPIngressPath,
): readonly FieldError[] => {
  const at = child(field, 'path');
  const strict = pathType === 'Exact' || pathType === 'Prefix';
  const absolute =
    path.startsWith('/') || (!strict && path === '') ? [] : [invalid(at, path, 'must be an absolute path')];
  const clean = strict
    ? [
        ...within
          .filter((part) => path.includes(part))
          .map((part) => invalid(at, path, `must not contain '${part}'`)),
        ...atEnd
          .filter((part) => path.endsWith(part))
          .map((part) => invalid(at, path, `cannot end with '${part}'`)),
      ]
    : [];
  const types = ['Exact', 'ImplementationSpecific', 'Prefix'];
  return [
    ...(pathType === ''
      ? [required(child(field, 'pathType'), 'pathType must be specified')]
      : types.includes(pathType)
        ? [...absolute, ...clean]
        : [notSupported(child(field, 'pathType'), pathType, types)]),
    ...backendErrors(child(field, 'backend'), backend),
  ];
};

const hostErrors = (host: string): readonly string[] =>
  host.includes('*') ? wildcardErrors(host) : dnsSubdomainErrors(host);

const ruleErrors = (field: string, { host = '', http }: IngressRule): readonly FieldError[] => {
  const paths = child(field, 'http.paths');
  return [
    ...(host === ''
      ? []
      : ipFamilyOf(host) !== undefined
        ? [invalid(child(field, 'host'), host, 'must be a DNS name, not an IP address')]
        : allInvalid(child(field, 'host'), host, hostErrors(host))),
    ...(http?.paths.length === 0 ? [required(paths)] : []),
    ...(http?.paths ?? []).flatMap((path, index) => pathErrors(item(paths, index), path)),
  ];
};

const tlsErrors = (field: string, { hosts = [], secretName = '' }: IngressTLS): readonly FieldError[] => [
  ...hosts.flatMap((host, index) => allInvalid(item(child(field, 'hosts'), index), host, hostErrors(host))),
  ...(secretName === ''
    ? []
    : allInvalid(child(field, 'secretName'), secretName, dnsSubdomainErrors(secretName))),
];

const classErrors = ({ metadata, spec }: Ingress, isNew: boolean): readonly FieldError[] => {
  const { ingressClassName } = spec;
  if (ingressClassName === undefined) return [];
  const annotation = metadata.annotations?.[classAnnotation];
  return [
    ...allInvalid('spec.ingressClassName', ingressClassName, dnsSubdomainErrors(ingressClassName)),
    ...(isNew && annotation !== undefined && annotation !== ingressClassName
      ? [
          invalid(
            `metadata.annotations.${classAnnotation}`,
            annotation,
            'must match `ingressClassName` when both are specified',
          ),
        ]
      : []),
  ];
};

const validate = (ingress: Ingress, old: Ingress | undefined): readonly FieldError[] => {
  const { metadata, spec } = ingress;
  if (old !== undefined && equal(spec, old.spec)) return [];
  const { rules = [], defaultBackend, tls = [] } = spec;
  return [
    ...nameErrors(metadata),
    ...(rules.length === 0 && defaultBackend === undefined
      ? [invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified')]
      : []),
    ...(defaultBackend === undefined ? [] : backendErrors('spec.defaultBackend', defaultBackend)),
    ...rules.flatMap((rule, index) => ruleErrors(item('spec.rules', index), rule)),
    ...tls.flatMap((entry, index) => tlsErrors(item('spec.tls', index), entry)),
    ...classErrors(ingress, old === undefined),
  ];
};

export const ingresses = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  namespaced: true,
  definition: 'io.k8s.api.networking.v1.Ingress',
  subresources: ['status'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
});
