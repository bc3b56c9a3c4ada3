// Who does what inside the daemon: each part of it has a name of its own in the API, and the rights that go with it.
import { authenticated } from '../apiserver/authenticate.js';
import { components } from '../apiserver/authorize/component-roles.js';
import type { Identity } from '../base/http.js';

const identityOf = ({ user }: { readonly user: string }): Identity => ({
  user,
  groups: user.startsWith('system:serviceaccount:')
    ? ['system:serviceaccounts', 'system:serviceaccounts:kube-system', authenticated]
    : [authenticated],
});

export const identities = {
  controllers: identityOf(components.controllers),
  rollouts: identityOf(components.rollouts),
  scheduler: identityOf(components.scheduler),
  sweeper: identityOf(components.sweeper),
  certificates: identityOf(components.certificates),
  tokens: identityOf(components.tokens),
  gitops: identityOf(components.gitops),
} as const;

export const administrator = { commonName: 'capstan-admin', organizations: ['system:masters'] } as const;

export const nodeSubject = (name: string): { commonName: string; organizations: readonly string[] } => ({
  commonName: `system:node:${name}`,
  organizations: ['system:nodes'],
});

/** The agent of a node, inside the daemon. */
export const nodeIdentity = (name: string): Identity => {
  const { commonName, organizations } = nodeSubject(name);
  return { user: commonName, groups: [...organizations, authenticated] };
};

/** Common name of the certificate with which the API server asks agents. */
export const agentClientName = 'kube-apiserver-kubelet-client';
