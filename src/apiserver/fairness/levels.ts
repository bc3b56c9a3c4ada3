// Whose requests share seats with whose: priority levels, and the flow within one that a request belongs to. Pure.
import type { Identity } from '../../base/http.js';
import type { Attributes } from '../authorize/attributes.js';
import { mastersGroup } from '../authorize/authorizer.js';

export interface PriorityLevel {
  readonly name: string;
  /** Requests that may be worked on at a time, weighed by their width. */
  readonly seats: number;
  /** Requests of one flow that may wait; the next one is told to come back later. */
  readonly queueLength: number;
}

/** No level borrows from another: what floods one of them leaves the others as they are. */
export const priorityLevels = {
  'leader-election': { name: 'leader-election', seats: 16, queueLength: 64 },
  'node-high': { name: 'node-high', seats: 64, queueLength: 256 },
  system: { name: 'system', seats: 48, queueLength: 256 },
  administrators: { name: 'administrators', seats: 48, queueLength: 256 },
  'workload-high': { name: 'workload-high', seats: 48, queueLength: 256 },
  'workload-low': { name: 'workload-low', seats: 32, queueLength: 128 },
  'global-default': { name: 'global-default', seats: 32, queueLength: 128 },
  'catch-all': { name: 'catch-all', seats: 4, queueLength: 32 },
} as const satisfies Readonly<Record<string, PriorityLevel>>;

export interface Flow {
  readonly level: PriorityLevel;
  /** Who is treated as one client. */
  readonly client: string;
}

const accounts = 'system:serviceaccount:';
const systemAccounts = `${accounts}kube-system:`;

const isLease = (wanted: Attributes): boolean =>
  wanted.type === 'resource' && wanted.group === 'coordination.k8s.io' && wanted.resource === 'leases';

const isHeartbeat = (wanted: Attributes): boolean =>
  isLease(wanted) || (wanted.type === 'resource' && wanted.group === '' && wanted.resource === 'nodes');

const isComponent = (user: string): boolean =>
  user.startsWith('system:kube-') || user.startsWith('system:capstan:');

/** The words before the first slash or space: `kubectl` of `kubectl/v1.31.0 (linux/amd64)`. */
const program = (userAgent: string | undefined): string => /^[^/\s]{1,64}/.exec(userAgent ?? '')?.[0] ?? '';

export const flowOf = (
  { user, groups }: Identity,
  wanted: Attributes,
  userAgent: string | undefined,
): Flow => {
  const flow = (level: keyof typeof priorityLevels, client: string): Flow => ({
    level: priorityLevels[level],
    client,
  });
  if (groups.includes('system:nodes')) return flow(isHeartbeat(wanted) ? 'node-high' : 'system', user);
  // Many people and programs share the administrator's certificate: each program of theirs is a client of its own.
  if (groups.includes(mastersGroup)) return flow('administrators', `${user} ${program(userAgent)}`);
  if (isComponent(user)) return flow(isLease(wanted) ? 'leader-election' : 'system', user);
  if (user.startsWith(systemAccounts))
    return flow(isLease(wanted) ? 'leader-election' : 'workload-high', user);
  if (user.startsWith(accounts)) return flow('workload-low', user);
  if (groups.includes('system:authenticated')) return flow('global-default', user);
  return flow('catch-all', user);
};
