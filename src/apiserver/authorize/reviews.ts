// Questions about rights, asked by creating an object that is answered and not kept (`kubectl auth can-i`, `whoami`).
import type { Identity } from '../../base/http.js';
import type {
  LocalSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../../resources/generated/types.js';
import { apiVersionOf, defineKind } from '../../resources/kind.js';
import type { Kind } from '../../resources/kind.js';
import { required } from '../../resources/validation/field-errors.js';
import { checkSchema } from '../../resources/schema.js';
import type { ServedKind } from '../discovery.js';
import { readDraft } from '../resource-call.js';
import type { ResourceCall, Verb } from '../resource-call.js';
import { json } from '../respond.js';
import { callOptions } from '../call-options.js';
import { badRequest, invalid } from '../verbs/rejections.js';
import type { Attributes } from './attributes.js';
import type { Authorizer } from './authorizer.js';

/** The status of the review, or its promise. */
type Answer = (call: ResourceCall, body: Record<string, unknown>) => unknown;

export const review = (group: string, version: string, kind: string, namespaced = false): Kind =>
  defineKind({
    group,
    version,
    kind,
    plural: `${kind.toLowerCase()}s`,
    namespaced,
    definition: `io.k8s.api.${group.split('.')[0] ?? ''}.v1.${kind}`,
  });

/** A kind whose objects are answered and not kept. */
export const answered = (kind: Kind, answer: Answer): ServedKind => {
  const create: Verb = async (call) => {
    const draft = await readDraft(call, callOptions(call.request, call.identity, call.warn));
    const { errors } = checkSchema(kind, draft);
    if (errors.length > 0) throw invalid(kind, '', errors);
    const body = draft as unknown as Record<string, unknown>;
    const status = await answer(call, body);
    return json(201, {
      kind: kind.kind,
      apiVersion: apiVersionOf(kind),
      metadata: { ...draft.metadata, creationTimestamp: null },
      ...('spec' in body ? { spec: body['spec'] } : {}),
      status,
    });
  };
  return { kind, subresources: new Map(), verbs: ['create'], collection: { POST: create } };
};

type Asked = Pick<SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>;

const attributesOf = (
  kind: Kind,
  { resourceAttributes: resource, nonResourceAttributes: path }: Asked,
): Attributes => {
  if ((resource === undefined) === (path === undefined))
    throw invalid(kind, '', [
      required(
        'spec.resourceAttributes',
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    ]);
  if (resource !== undefined)
    return {
      type: 'resource',
      verb: resource.verb ?? '',
      group: resource.group ?? '',
      resource: resource.resource ?? '',
      subresource: resource.subresource ?? '',
      namespace: resource.namespace ?? '',
      name: resource.name ?? '',
      fieldSelector: resource.fieldSelector?.rawSelector,
    };
  return { type: 'path', verb: path?.verb ?? '', path: path?.path ?? '' };
};

const specOf = <T>(body: Record<string, unknown>): T => (body['spec'] ?? {}) as T;

const statusOf = (authorizer: Authorizer, identity: Identity, wanted: Attributes): unknown => {
  const { allowed, reason } = authorizer.authorize(identity, wanted);
  return { allowed, ...(reason === '' ? {} : { reason }) };
};

const subjectStatus = (authorizer: Authorizer, kind: Kind, spec: SubjectAccessReviewSpec): unknown => {
  const { user = '', groups = [] } = spec;
  if (user === '' && groups.length === 0)
    throw invalid(kind, '', [required('spec.user', 'at least one of user or group must be specified')]);
  return statusOf(authorizer, { user, groups }, attributesOf(kind, spec));
};

const localStatus = (
  authorizer: Authorizer,
  kind: Kind,
  call: ResourceCall,
  spec: SubjectAccessReviewSpec,
): unknown => {
  const { resourceAttributes } = spec;
  if (resourceAttributes === undefined || resourceAttributes.namespace !== call.route.namespace)
    throw badRequest('spec.resourceAttributes.namespace must match the namespace of the request');
  return subjectStatus(authorizer, kind, spec);
};

const rulesStatus = (authorizer: Authorizer, identity: Identity, namespace: string): unknown => {
  const rules = authorizer.rulesFor(identity, namespace);
  const isPath = (urls: readonly string[] | undefined): boolean => (urls ?? []).length > 0;
  return {
    resourceRules: rules.filter(({ nonResourceURLs }) => !isPath(nonResourceURLs)),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => isPath(nonResourceURLs))
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
};

const authorization = 'authorization.k8s.io';
const authentication = 'authentication.k8s.io';

/** `version` is v1, or v1beta1, in which kubectl 1.27 asks. */
const whoAmI = (version: string): ServedKind =>
  answered(review(authentication, version, 'SelfSubjectReview'), ({ identity }) => ({
    userInfo: {
      username: identity.user,
      ...(identity.uid === undefined ? {} : { uid: identity.uid }),
      groups: identity.groups,
      ...(identity.extra === undefined ? {} : { extra: identity.extra }),
    },
  }));

export const accessReviews = (authorizer: Authorizer): readonly ServedKind[] => {
  const subject = review(authorization, 'v1', 'SubjectAccessReview');
  const local = review(authorization, 'v1', 'LocalSubjectAccessReview', true);
  const self = review(authorization, 'v1', 'SelfSubjectAccessReview');
  return [
    answered(self, ({ identity }, body) =>
      statusOf(authorizer, identity, attributesOf(self, specOf<Asked>(body))),
    ),
    answered(subject, (_, body) =>
      subjectStatus(authorizer, subject, specOf<SubjectAccessReview['spec']>(body)),
    ),
    answered(local, (call, body) =>
      localStatus(authorizer, local, call, specOf<LocalSubjectAccessReview['spec']>(body)),
    ),
    answered(review(authorization, 'v1', 'SelfSubjectRulesReview'), ({ identity }, body) => {
      const { namespace = '' } = specOf<SelfSubjectRulesReview['spec']>(body);
      if (namespace === '') throw badRequest('no namespace on request');
      return rulesStatus(authorizer, identity, namespace);
    }),
    whoAmI('v1'),
    whoAmI('v1beta1'),
  ];
};
