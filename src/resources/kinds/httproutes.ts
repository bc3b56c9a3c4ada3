// HTTPRoutes: which services answer for hosts, paths, headers and parameters, and what is done on the way.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { mapped, withChanges, withDefaults } from '../defaults.js';
import { child, item } from '../field-path.js';
import type {
  HTTPBackendReference,
  HTTPRoute,
  HTTPRouteFilter,
  HTTPRouteMatch,
  HTTPRouteRule,
} from '../generated/types.js';
import { defineKind } from '../kind.js';
import { allInvalid, invalid, notSupported, oneOf, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsSubdomainErrors, portNumberErrors } from '../validation/names.js';
import { hostnameErrors } from './gateways.js';

const limits = { rules: 16, matches: 64, backends: 16, hostnames: 16, weight: 1_000_000 };
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const filterFields = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  RequestMirror: 'requestMirror',
} as const;

const defaultedMatch = (match: HTTPRouteMatch): HTTPRouteMatch => {
  const exact = <T extends { readonly type?: string | undefined }>(value: T): T =>
    withDefaults(value, { type: 'Exact' } as Partial<T>);
  return withChanges(match, {
    path: withDefaults(match.path ?? {}, { type: 'PathPrefix', value: '/' }),
    headers: mapped(match.headers, exact),
    queryParams: mapped(match.queryParams, exact),
  });
};

const defaultedFilter = (filter: HTTPRouteFilter): HTTPRouteFilter =>
  filter.requestRedirect === undefined
    ? filter
    : withChanges(filter, { requestRedirect: withDefaults(filter.requestRedirect, { statusCode: 302 }) });

const defaultedBackend = (backend: HTTPBackendReference): HTTPBackendReference =>
  withChanges(withDefaults(backend, { group: '', kind: 'Service', weight: 1 }), {
    filters: mapped(backend.filters, defaultedFilter),
  });

const defaultedRule = (rule: HTTPRouteRule): HTTPRouteRule =>
  withChanges(withDefaults(rule, { matches: [{}] }), {
    matches: mapped(rule.matches ?? [{}], defaultedMatch),
    filters: mapped(rule.filters, defaultedFilter),
    backendRefs: mapped(rule.backendRefs, defaultedBackend),
  });

const defaulted = (route: HTTPRoute): HTTPRoute => {
  const spec = (route.spec as HTTPRoute['spec'] | undefined) ?? {};
  return withChanges(route, {
    spec: withChanges(spec, {
      parentRefs: mapped(spec.parentRefs, (parent) =>
        withDefaults(parent, { group: 'gateway.networking.k8s.io', kind: 'Gateway' }),
      ),
      rules: mapped(spec.rules ?? [{}], defaultedRule),
    }),
  });
};

const pattern = (field: string, value: string): readonly FieldError[] => {
  try {
    new RegExp(value);
    return [];
  } catch {
    return [invalid(field, value, 'must be a regular expression')];
  }
};

const pathErrors = (
  field: string,
  { type, value = '/' }: NonNullable<HTTPRouteMatch['path']>,
): readonly FieldError[] => {
  const at = child(field, 'value');
  if (type === 'RegularExpression') return pattern(at, value);
  const wrong = ['//', '/./', '/../', '%2f', '%2F', '#'].filter((part) => value.includes(part));
  return [
    ...oneOf(child(field, 'type'), type, ['Exact', 'PathPrefix', 'RegularExpression']),
    ...(value.startsWith('/') ? [] : [invalid(at, value, 'must be an absolute path')]),
    ...wrong.map((part) => invalid(at, value, `must not contain '${part}'`)),
  ];
};

/** Names of headers as HTTP has them. */
const token = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

const matchErrors = (field: string, match: HTTPRouteMatch): readonly FieldError[] => {
  const { path, headers = [], queryParams = [], method } = match;
  const values = (list: typeof headers, at: string): readonly FieldError[] =>
    list.flatMap(({ name, type, value }, index) => {
      const place = item(child(field, at), index);
      return [
        ...(token.test(name)
          ? []
          : [invalid(child(place, 'name'), name, 'must be a valid name of a header')]),
        ...oneOf(child(place, 'type'), type, ['Exact', 'RegularExpression']),
        ...(type === 'RegularExpression' ? pattern(child(place, 'value'), value) : []),
      ];
    });
  return [
    ...(path === undefined ? [] : pathErrors(child(field, 'path'), path)),
    ...values(headers, 'headers'),
    ...values(queryParams, 'queryParams'),
    ...oneOf(child(field, 'method'), method, methods),
  ];
};

const filterErrors = (field: string, filter: HTTPRouteFilter): readonly FieldError[] => {
  const known = Object.hasOwn(filterFields, filter.type)
    ? filterFields[filter.type as keyof typeof filterFields]
    : undefined;
  if (known === undefined)
    return [notSupported(child(field, 'type'), filter.type, Object.keys(filterFields))];
  if (filter[known] === undefined)
    return [required(child(field, known), `must be specified for ${filter.type}`)];
  const { requestRedirect: redirect, requestHeaderModifier, responseHeaderModifier } = filter;
  const names = [requestHeaderModifier, responseHeaderModifier].flatMap((changes) => [
    ...[...(changes?.set ?? []), ...(changes?.add ?? [])].map(({ name }) => name),
    ...(changes?.remove ?? []),
  ]);
  return [
    ...names
      .filter((name) => !token.test(name))
      .map((name) => invalid(field, name, 'must be a valid name of a header')),
    ...oneOf(child(field, 'requestRedirect.scheme'), redirect?.scheme, ['http', 'https']),
    ...(redirect?.statusCode === undefined || [301, 302, 303, 307, 308].includes(redirect.statusCode)
      ? []
      : [
          invalid(
            child(field, 'requestRedirect.statusCode'),
            redirect.statusCode,
            'must be 301, 302, 303, 307 or 308',
          ),
        ]),
  ];
};

const backendErrors = (
  field: string,
  { name, group, kind, port, weight = 1, filters = [] }: HTTPBackendReference,
): readonly FieldError[] => [
  ...(name === '' ? [required(child(field, 'name'))] : []),
  ...(kind === 'Service' && group === '' && port === undefined
    ? [required(child(field, 'port'), 'port is required when the backend is a Service')]
    : []),
  ...(port === undefined
    ? []
    : portNumberErrors(port).map((why) => invalid(child(field, 'port'), port, why))),
  ...(weight < 0 || weight > limits.weight
    ? [invalid(child(field, 'weight'), weight, `must be from 0 to ${limits.weight}`)]
    : []),
  ...filters.flatMap((filter, index) => filterErrors(item(child(field, 'filters'), index), filter)),
];

const durationErrors = (field: string, text: string | undefined): readonly FieldError[] =>
  text === undefined || /^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)
    ? []
    : [invalid(field, text, 'must be a duration such as 10s or 1m30s')];

const ruleErrors = (field: string, rule: HTTPRouteRule): readonly FieldError[] => {
  const { matches = [], filters = [], backendRefs = [], timeouts } = rule;
  const redirects = filters.some(({ type }) => type === 'RequestRedirect');
  return [
    ...(matches.length > limits.matches
      ? [invalid(child(field, 'matches'), matches.length, `must have at most ${limits.matches} items`)]
      : []),
    ...(backendRefs.length > limits.backends
      ? [
          invalid(
            child(field, 'backendRefs'),
            backendRefs.length,
            `must have at most ${limits.backends} items`,
          ),
        ]
      : []),
    ...(redirects && backendRefs.length > 0
      ? [invalid(child(field, 'filters'), 'RequestRedirect', 'must not be used together with backendRefs')]
      : []),
    ...matches.flatMap((match, index) => matchErrors(item(child(field, 'matches'), index), match)),
    ...filters.flatMap((filter, index) => filterErrors(item(child(field, 'filters'), index), filter)),
    ...backendRefs.flatMap((backend, index) =>
      backendErrors(item(child(field, 'backendRefs'), index), backend),
    ),
    ...durationErrors(child(field, 'timeouts.request'), timeouts?.request),
    ...durationErrors(child(field, 'timeouts.backendRequest'), timeouts?.backendRequest),
  ];
};

const validate = ({ metadata, spec }: HTTPRoute): readonly FieldError[] => {
  const { hostnames = [], rules = [] } = spec;
  return [
    ...nameErrors(metadata, dnsSubdomainErrors),
    ...(rules.length > limits.rules
      ? [invalid('spec.rules', rules.length, `must have at most ${limits.rules} items`)]
      : []),
    ...(hostnames.length > limits.hostnames
      ? [invalid('spec.hostnames', hostnames.length, `must have at most ${limits.hostnames} items`)]
      : []),
    ...hostnames.flatMap((hostname, index) =>
      allInvalid(item('spec.hostnames', index), hostname, hostnameErrors(hostname)),
    ),
    ...rules.flatMap((rule, index) => ruleErrors(item('spec.rules', index), rule)),
  ];
};

export const httproutes = defineKind<HTTPRoute>({
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  kind: 'HTTPRoute',
  plural: 'httproutes',
  shortNames: [],
  categories: ['gateway-api'],
  namespaced: true,
  definition: 'io.k8s.gateway.v1.HTTPRoute',
  subresources: ['status'],
  generationFields: ['spec'],
  columns: [
    nameColumn,
    text('Hostnames', 'Hosts that this route is about.', ({ spec }) =>
      (spec.hostnames ?? []).length === 0 ? '' : JSON.stringify(spec.hostnames),
    ),
    ageColumn,
  ],
  defaulted,
  validate,
});
