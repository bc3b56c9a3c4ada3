// `kubectl --as`: who may act as someone else does so under that name, as far as rights go.
import { ClusterError } from '../../base/errors.js';
import type { HttpRequest, Identity } from '../../base/http.js';
import type { ResourceAttributes } from './attributes.js';
import { forbidden } from './attributes.js';
import type { Authorizer } from './authorizer.js';

const accountPrefix = 'system:serviceaccount:';

const right = (group: string, resource: string, name: string, namespace = ''): ResourceAttributes => ({
  type: 'resource',
  verb: 'impersonate',
  group,
  resource,
  subresource: '',
  namespace,
  name,
});

const accountOf = (user: string): { readonly namespace: string; readonly name: string } | undefined => {
  if (!user.startsWith(accountPrefix)) return undefined;
  const [namespace = '', name = '', ...rest] = user.slice(accountPrefix.length).split(':');
  return namespace === '' || name === '' || rest.length > 0 ? undefined : { namespace, name };
};

const wantedRights = (user: string, groups: readonly string[]): readonly ResourceAttributes[] => {
  const account = accountOf(user);
  return [
    account === undefined
      ? right('', 'users', user)
      : right('', 'serviceaccounts', account.name, account.namespace),
    ...groups.map((group) => right('', 'groups', group)),
  ];
};

const groupsFor = (user: string, asked: readonly string[]): readonly string[] => {
  const account = accountOf(user);
  const own =
    account === undefined || asked.length > 0
      ? asked
      : ['system:serviceaccounts', `${accountPrefix.replace('account:', 'accounts:')}${account.namespace}`];
  const everyone = user === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  return own.includes(everyone) ? own : [...own, everyone];
};

/** Repeated headers arrive as one, joined with commas. */
const listOf = (header: string | undefined): readonly string[] =>
  (header ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** The identity that the headers of the request ask for; throws Forbidden. */
export const impersonated = (authorizer: Authorizer, request: HttpRequest, identity: Identity): Identity => {
  const { headers } = request;
  const user = headers['impersonate-user'] ?? '';
  const groups = listOf(headers['impersonate-group']);
  const others = Object.keys(headers).filter(
    (name) => name === 'impersonate-uid' || name.startsWith('impersonate-extra-'),
  );
  if (others.length > 0)
    throw new ClusterError('BadRequest', `this server does not impersonate by ${others.join(', ')}`);
  if (user === '') {
    if (groups.length === 0) return identity;
    throw new ClusterError('BadRequest', `requested ${JSON.stringify(groups)} without impersonating a user`);
  }
  for (const wanted of wantedRights(user, groups)) {
    const { allowed, reason } = authorizer.authorize(identity, wanted);
    if (!allowed) throw forbidden(identity, wanted, reason);
  }
  return { user, groups: groupsFor(user, groups) };
};
