// What is recorded when no policy is named: everything that changes something and all that people and programs read, with
// its metadata; not the chatter with which a healthy cluster keeps itself going.
import { parsePolicy } from './policy.js';
import type { Policy } from './policy.js';

const agents = ['system:nodes'];

export const defaultPolicy: Policy = parsePolicy({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'None',
      verbs: ['get'],
      nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version*', '/metrics', '/api*', '/openapi*'],
    },
    { level: 'Metadata', resources: [{ group: '', resources: ['secrets', 'serviceaccounts/token'] }] },
    { level: 'None', userGroups: agents, verbs: ['get', 'list', 'watch'] },
    {
      level: 'None',
      userGroups: agents,
      verbs: ['update', 'patch'],
      resources: [
        { group: '', resources: ['nodes/status', 'pods/status'] },
        { group: 'coordination.k8s.io', resources: ['leases'] },
      ],
    },
    {
      level: 'None',
      resources: [
        { group: '', resources: ['events'] },
        { group: 'events.k8s.io', resources: ['events'] },
      ],
    },
    { level: 'None', users: ['system:anonymous'], verbs: ['get'] },
    { level: 'Metadata' },
  ],
});
