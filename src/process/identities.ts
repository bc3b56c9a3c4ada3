// Who does what inside the daemon: each part of it has a name of its own in the API.
import type { Identity } from '../base/http.js';

const system = (name: string): Identity => ({ user: `system:capstan:${name}`, groups: ['system:masters'] });

export const identities = {
  controllers: system('controllers'),
  scheduler: system('scheduler'),
  gitops: system('gitops'),
  hollow: system('hollow'),
} as const;

export const administrator = { commonName: 'capstan-admin', organizations: ['system:masters'] } as const;

export const nodeSubject = (name: string): { commonName: string; organizations: readonly string[] } => ({
  commonName: `system:node:${name}`,
  organizations: ['system:nodes'],
});

/** Common name of the certificate with which the API server asks agents. */
export const agentClientName = 'kube-apiserver-kubelet-client';
