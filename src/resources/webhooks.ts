// What mutating and validating webhooks share: defaults, and what is wrong with one.
// Follows kubernetes `pkg/apis/admissionregistration/validation`.
import type { FieldError } from '../base/errors.js';
import { messageOf } from '../base/errors.js';
import { compile } from './cel/expression.js';
import { celEnvironment } from './cel/library.js';
import { mapped, withChanges, withDefaults } from './defaults.js';
import { child, item } from './field-path.js';
import type { MutatingWebhook, RuleWithOperations, WebhookClientConfig } from './generated/types.js';
import { duplicates, invalid, notSupported, oneOf, required } from './validation/field-errors.js';
import { dnsSubdomainErrors, qualifiedNameErrors } from './validation/names.js';

type Webhook = Omit<MutatingWebhook, 'reinvocationPolicy'>;

const defaultedClient = (config: WebhookClientConfig): WebhookClientConfig =>
  config.service === undefined
    ? config
    : withChanges(config, { service: withDefaults(config.service, { port: 443 }) });

export const defaultedWebhook = <W extends Webhook>(webhook: W): W => {
  const filled: Webhook = withDefaults<Webhook>(webhook, {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
  });
  return withChanges<Webhook>(filled, {
    clientConfig: defaultedClient(webhook.clientConfig),
    rules: mapped(webhook.rules, (rule) => withDefaults(rule, { scope: '*' })),
  }) as W;
};

const clientErrors = (at: string, { url, service }: WebhookClientConfig): readonly FieldError[] => {
  if ((url === undefined) === (service === undefined))
    return [required(at, 'exactly one of url or service is required')];
  if (service !== undefined)
    return [
      ...(service.name === '' ? [required(child(at, 'service.name'))] : []),
      ...(service.namespace === '' ? [required(child(at, 'service.namespace'))] : []),
      ...(service.path !== undefined && !service.path.startsWith('/')
        ? [invalid(child(at, 'service.path'), service.path, "must start with a '/'")]
        : []),
    ];
  const field = child(at, 'url');
  const parsed = URL.canParse(url ?? '') ? new URL(url ?? '') : undefined;
  if (parsed?.protocol !== 'https:')
    return [
      invalid(field, url, `'https' is the only allowed URL scheme; desired format: https://host[/path]`),
    ];
  return [
    ...(parsed.username === ''
      ? []
      : [invalid(field, parsed.username, 'user information is not permitted in the URL')]),
    ...(parsed.hash === '' ? [] : [invalid(field, parsed.hash, 'fragments are not permitted in the URL')]),
    ...(parsed.search === ''
      ? []
      : [invalid(field, parsed.search, 'query parameters are not permitted in the URL')]),
  ];
};

const operations = ['*', 'CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

const ruleErrors = (at: string, rule: RuleWithOperations): readonly FieldError[] => [
  ...(['apiGroups', 'apiVersions', 'operations', 'resources'] as const)
    .filter((name) => (rule[name] ?? []).length === 0)
    .map((name) => required(child(at, name))),
  ...(rule.operations ?? []).flatMap((operation, index) =>
    operations.includes(operation)
      ? []
      : [notSupported(item(child(at, 'operations'), index), operation, operations)],
  ),
  ...oneOf(child(at, 'scope'), rule.scope, ['*', 'Cluster', 'Namespaced']),
];

// Making an environment is expensive, and this one never changes.
const environment = celEnvironment(['object', 'oldObject', 'request', 'authorizer']);

const conditionErrors = (at: string, { matchConditions = [] }: Webhook): readonly FieldError[] =>
  matchConditions.flatMap(({ name, expression }, index) => {
    const field = item(child(at, 'matchConditions'), index);
    const names = qualifiedNameErrors(name).map((why) => invalid(child(field, 'name'), name, why));
    try {
      const { type } = compile(environment, expression);
      return type === 'bool' || type === 'dyn'
        ? names
        : [...names, invalid(child(field, 'expression'), expression, 'must evaluate to bool')];
    } catch (error) {
      return [
        ...names,
        invalid(child(field, 'expression'), expression, `compilation failed: ${messageOf(error)}`),
      ];
    }
  });

const webhookErrors = (at: string, webhook: Webhook): readonly FieldError[] => {
  const { name, sideEffects, timeoutSeconds = 10, admissionReviewVersions } = webhook;
  return [
    ...(name.split('.').length < 3 || dnsSubdomainErrors(name).length > 0
      ? [
          invalid(
            child(at, 'name'),
            name,
            'should be a domain with at least three segments separated by dots',
          ),
        ]
      : []),
    ...clientErrors(child(at, 'clientConfig'), webhook.clientConfig),
    ...(webhook.rules ?? []).flatMap((rule, index) => ruleErrors(item(child(at, 'rules'), index), rule)),
    ...oneOf(child(at, 'failurePolicy'), webhook.failurePolicy, ['Fail', 'Ignore']),
    ...oneOf(child(at, 'matchPolicy'), webhook.matchPolicy, ['Equivalent', 'Exact']),
    ...oneOf(child(at, 'sideEffects'), sideEffects, ['None', 'NoneOnDryRun']),
    ...(timeoutSeconds < 1 || timeoutSeconds > 30
      ? [
          invalid(
            child(at, 'timeoutSeconds'),
            timeoutSeconds,
            'the timeout value must be between 1 and 30 seconds',
          ),
        ]
      : []),
    ...(admissionReviewVersions.includes('v1')
      ? []
      : [
          invalid(
            child(at, 'admissionReviewVersions'),
            admissionReviewVersions,
            'must include at least one of v1',
          ),
        ]),
    ...conditionErrors(at, webhook),
  ];
};

export const webhooksErrors = (webhooks: readonly Webhook[] = []): readonly FieldError[] => {
  const at = (index: number): string => item('webhooks', index);
  return [
    ...duplicates(
      webhooks,
      ({ name }) => name,
      (index) => child(at(index), 'name'),
    ),
    ...webhooks.flatMap((webhook, index) => webhookErrors(at(index), webhook)),
  ];
};
