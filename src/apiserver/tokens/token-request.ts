// `serviceaccounts/token`: a token is asked for with a TokenRequest (`kubectl create token`, and every agent for its pods).
import { toTimestamp } from '../../base/clock.js';
import { hasCode } from '../../base/errors.js';
import type { FieldError } from '../../base/errors.js';
import type { Identity } from '../../base/http.js';
import type {
  BoundObjectReference,
  Pod,
  ServiceAccount,
  TokenRequestSpec,
  TokenRequestStatus,
} from '../../resources/generated/types.js';
import { defineKind } from '../../resources/kind.js';
import type { Kind } from '../../resources/kind.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { pods } from '../../resources/kinds/pods.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { serviceaccounts } from '../../resources/kinds/serviceaccounts.js';
import type { ObjectName, Resource } from '../../resources/resource.js';
import { invalid as invalidField, notSupported } from '../../resources/validation/field-errors.js';
import { nodeOf } from '../authorize/node-authorizer.js';
import type { Registry } from '../registry.js';
import { objectName, optionsOf, readDraft } from '../resource-call.js';
import type { Verb } from '../resource-call.js';
import { json } from '../respond.js';
import { conformed } from '../verbs/prepare.js';
import { badRequest, conflict, forbidden, invalid } from '../verbs/rejections.js';
import type { Binding, NamedObject, ServiceAccountTokens } from './service-account-tokens.js';

/** Answered and not kept. */
export const tokenRequests = defineKind({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  plural: 'tokenrequests',
  namespaced: true,
  definition: 'io.k8s.api.authentication.v1.TokenRequest',
});

const defaultSeconds = 3600;
const leastSeconds = 600;
const mostSeconds = 2 ** 32;

const bindable: Readonly<Record<string, Kind>> = { Pod: pods, Secret: secrets, Node: nodes };

const specErrors = ({ expirationSeconds, boundObjectRef }: TokenRequestSpec): readonly FieldError[] => {
  const seconds = expirationSeconds ?? defaultSeconds;
  const field = 'spec.expirationSeconds';
  return [
    ...(seconds < leastSeconds
      ? [invalidField(field, seconds, 'may not specify a duration less than 10 minutes')]
      : []),
    ...(seconds > mostSeconds
      ? [invalidField(field, seconds, 'may not specify a duration larger than 2^32 seconds')]
      : []),
    ...(boundObjectRef !== undefined && bindable[boundObjectRef.kind ?? ''] === undefined
      ? [notSupported('spec.boundObjectRef.kind', boundObjectRef.kind, Object.keys(bindable))]
      : []),
  ];
};

export interface TokenIssuer {
  /** Throws NotFound, Invalid, Conflict, Forbidden. */
  request(account: ObjectName, spec: TokenRequestSpec, identity: Identity): Promise<TokenRequestStatus>;
}

interface Parts {
  readonly registry: Pick<Registry, 'get'>;
  readonly tokens: ServiceAccountTokens;
}

const identified = ({ metadata }: Resource): NamedObject => ({ name: metadata.name, uid: metadata.uid });

/** A node that is gone, or not yet there, is no part of the token. */
const nodeNamed = async (registry: Parts['registry'], name: string): Promise<NamedObject | undefined> => {
  if (name === '') return undefined;
  try {
    return identified((await registry.get(nodes, { name })).object);
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
};

const bindingOf = async (
  { registry }: Parts,
  account: ServiceAccount,
  reference: BoundObjectReference | undefined,
): Promise<{ readonly binding: Binding; readonly pod?: Pod }> => {
  const kind = bindable[reference?.kind ?? ''];
  if (reference === undefined || kind === undefined) return { binding: {} };
  const { namespace, name: accountName } = account.metadata;
  const { object } = await registry.get(kind, {
    name: reference.name ?? '',
    namespace: kind.namespaced ? namespace : undefined,
  });
  const bound = identified(object);
  const asked = reference.uid ?? '';
  if (asked !== '' && asked !== bound.uid)
    throw conflict(
      kind,
      bound.name,
      `the UID in the bound object reference (${asked}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (kind === nodes) return { binding: { node: bound } };
  if (kind === secrets) return { binding: { secret: bound } };
  const pod = object as Pod;
  if (pod.spec.serviceAccountName !== accountName)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(accountName)} to pod running with different serviceaccount name.`,
    );
  return { binding: { pod: bound, node: await nodeNamed(registry, pod.spec.nodeName ?? '') }, pod };
};

/** An agent asks for the tokens of its own pods, and binds each to its pod (NodeRestriction). */
const checkNode = (identity: Identity, account: ServiceAccount, pod: Pod | undefined): void => {
  const node = nodeOf(identity);
  if (node === undefined) return;
  const refuse = (why: string) => forbidden(serviceaccounts, account.metadata.name, why);
  if (pod === undefined) throw refuse('node requested token not bound to a pod');
  if (pod.spec.nodeName !== node)
    throw refuse('node requested token bound to a pod scheduled on a different node');
};

export const createTokenIssuer = (parts: Parts): TokenIssuer => ({
  request: async (name, spec, identity) => {
    const errors = specErrors(spec);
    if (errors.length > 0) throw invalid(tokenRequests, '', errors);
    const account = (await parts.registry.get(serviceaccounts, name)).object as ServiceAccount;
    const { binding, pod } = await bindingOf(parts, account, spec.boundObjectRef);
    checkNode(identity, account, pod);
    const { token, expires } = await parts.tokens.issue({
      account,
      audiences: spec.audiences,
      lifetimeMs: (spec.expirationSeconds ?? defaultSeconds) * 1000,
      binding,
    });
    return { token, expirationTimestamp: toTimestamp(expires) };
  },
});

/** The endpoint, as subresources.ts serves it. */
export const tokenSubresource = (
  issuer: TokenIssuer,
): { readonly responseKind: Kind; readonly methods: { readonly POST: Verb } } => ({
  responseKind: tokenRequests,
  methods: {
    POST: async (call) => {
      const draft = await readDraft(call, optionsOf(call), {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
      });
      // Go clients send null for an empty list.
      const sent = (draft as { readonly spec?: Partial<TokenRequestSpec> | null }).spec ?? {};
      const complete = {
        ...sent,
        audiences: (sent.audiences as string[] | null | undefined) ?? [],
      };
      // And null for whatever else they leave out: it goes with what is not in the schema.
      const { spec } = conformed(
        tokenRequests,
        { ...draft, spec: complete },
        { name: '', options: optionsOf(call) },
      );
      const status = await issuer.request(objectName(call), spec, call.identity);
      const seconds = spec.expirationSeconds ?? defaultSeconds;
      return json(201, {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { ...draft.metadata, creationTimestamp: null },
        spec: { ...spec, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
        status,
      });
    },
  },
});
