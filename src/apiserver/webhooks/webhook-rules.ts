// Is a webhook concerned with a request? Its rules by operation, group, version, resource and scope; its selectors by
// labels; its match conditions in CEL. Follows apiserver `pkg/admission/plugin/webhook/generic` and `predicates`.
import { messageOf } from '../../base/errors.js';
import type { Expression } from '../../resources/cel/expression.js';
import { compile } from '../../resources/cel/expression.js';
import { celEnvironment } from '../../resources/cel/library.js';
import { plainCel } from '../../resources/cel/values.js';
import type {
  MatchCondition,
  MutatingWebhook,
  Namespace,
  RuleWithOperations,
} from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { matches, requirementsOf } from '../../resources/label-selector.js';
import type { LabelSelector } from '../../resources/label-selector.js';
import { namespaces } from '../../resources/kinds/namespaces.js';
import type { Resource, StringMap } from '../../resources/resource.js';
import type { AdmissionRequest } from '../admission/admission.js';
import { LRUCache } from 'lru-cache';

/** What webhooks of both sorts share. */
export type Webhook = Omit<MutatingWebhook, 'reinvocationPolicy'>;

const operations = { create: 'CREATE', update: 'UPDATE', delete: 'DELETE' } as const;

export const operationOf = ({ operation }: AdmissionRequest): string => operations[operation];

export const subresourceOf = (request: AdmissionRequest): string =>
  request.operation === 'update' ? (request.subresource ?? '') : '';

const includes = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

const matchesResource = (
  resources: readonly string[] | undefined,
  plural: string,
  subresource: string,
): boolean =>
  (resources ?? []).some((pattern) => {
    const [resource = '', part = ''] = pattern.split('/');
    return (
      (resource === '*' || resource === plural) &&
      (part === '*' ? pattern.includes('/') : part === subresource)
    );
  });

/** `*` alone means objects, a star and a slash and a star everything. */
export const ruleMatches = (rule: RuleWithOperations, kind: Kind, request: AdmissionRequest): boolean => {
  const { scope = '*' } = rule;
  return (
    includes(rule.operations, operationOf(request)) &&
    includes(rule.apiGroups, kind.group) &&
    includes(rule.apiVersions, kind.version) &&
    matchesResource(rule.resources, kind.plural, subresourceOf(request)) &&
    (scope === '*' || (scope === 'Namespaced') === kind.namespaced)
  );
};

const selects = (selector: LabelSelector | undefined, labels: StringMap | undefined): boolean =>
  selector === undefined || matches(requirementsOf(selector), labels);

const isNamespace = ({ group, plural }: Kind): boolean => group === '' && plural === 'namespaces';

const objectsOf = (request: AdmissionRequest): readonly Resource[] => {
  if (request.operation === 'create') return [request.object];
  return request.operation === 'delete' ? [request.old] : [request.object, request.old];
};

const namespaceLabels = (request: AdmissionRequest): StringMap | undefined => {
  if (isNamespace(request.kind)) return objectsOf(request)[0]?.metadata.labels;
  const found: Namespace | undefined = request.reads.get(namespaces, { name: request.namespace ?? '' });
  return found?.metadata.labels;
};

export const selectorsMatch = (
  { namespaceSelector, objectSelector }: Pick<Webhook, 'namespaceSelector' | 'objectSelector'>,
  request: AdmissionRequest,
): boolean => {
  const { kind } = request;
  const inNamespace = kind.namespaced || isNamespace(kind);
  if (inNamespace && !selects(namespaceSelector, namespaceLabels(request))) return false;
  return objectsOf(request).some(({ metadata }) => selects(objectSelector, metadata.labels));
};

/**
 * The kind in whose version the webhook wants to see the object: the request's own, or (matchPolicy Equivalent) another
 * version of it. Undefined: none of its rules is about this.
 */
export const matchingKind = (
  { rules = [], matchPolicy }: Pick<Webhook, 'rules' | 'matchPolicy'>,
  request: AdmissionRequest,
  equivalents: readonly Kind[],
): Kind | undefined => {
  const isWanted = (kind: Kind): boolean => rules.some((rule) => ruleMatches(rule, kind, request));
  if (isWanted(request.kind)) return request.kind;
  return matchPolicy === 'Exact' ? undefined : equivalents.find(isWanted);
};

// Making an environment is expensive, and this one never changes.
const environment = celEnvironment([
  'object',
  'oldObject',
  'request',
  'params',
  'namespaceObject',
  'variables',
  'authorizer',
]);

// A memo of a pure function.
const compiled = new LRUCache<string, Expression>({ max: 1000 });

/** Of match conditions and admission policies. Throws for what is none. */
export const admissionExpression = (source: string): Expression => {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const made = compile(environment, source);
  compiled.set(source, made);
  return made;
};

/** The variables of match conditions and policies; `request` as in an AdmissionReview. */
export const admissionVariables = (
  request: AdmissionRequest,
  review: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> => ({
  object: request.operation === 'delete' ? null : plainCel(request.object),
  oldObject: request.operation === 'create' ? null : plainCel(request.old),
  request: plainCel(review),
});

/** False: a condition says no. Throws where none does and one cannot be judged. */
export const conditionsHold = (
  conditions: readonly MatchCondition[] | undefined,
  variables: () => Readonly<Record<string, unknown>>,
): boolean => {
  if (conditions === undefined || conditions.length === 0) return true;
  const values = variables();
  const errors: string[] = [];
  for (const { name, expression } of conditions)
    try {
      if (admissionExpression(expression).run(values) !== true) return false;
    } catch (error) {
      errors.push(`match condition ${JSON.stringify(name)}: ${messageOf(error)}`);
    }
  if (errors.length > 0) throw new Error(errors.join(', '));
  return true;
};
