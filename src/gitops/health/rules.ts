// Every kind that can be other than healthy: a new one is a file here and a line in the list.
import type { View } from '../../client/view.js';
import { resourceNameOf, type Kind } from '../../resources/kind.js';
import { isDeleting, type Resource } from '../../resources/resource.js';
import { daemonSetHealth } from './daemonset.js';
import { deploymentHealth } from './deployment.js';
import { healthy, progressing, type Health, type HealthRule } from './health.js';
import { jobHealth } from './job.js';
import { podHealth } from './pod.js';
import { replicaSetHealth } from './replicaset.js';
import { rolloutHealth } from './rollout.js';
import { replicationControllerHealth } from './replicationcontroller.js';
import { statefulSetHealth } from './statefulset.js';

const rules: ReadonlyMap<string, HealthRule> = new Map(
  [
    deploymentHealth,
    replicaSetHealth,
    replicationControllerHealth,
    statefulSetHealth,
    daemonSetHealth,
    jobHealth,
    podHealth,
    rolloutHealth,
  ].map((rule) => [resourceNameOf(rule.kind), rule as unknown as HealthRule]),
);

/** Kinds without a rule are healthy as soon as they exist. */
export const healthOf = (kind: Kind, object: Resource | undefined, view: View): Health => {
  if (object === undefined) return { status: 'Missing', message: 'does not exist' };
  if (isDeleting(object)) return progressing('is being deleted');
  return rules.get(resourceNameOf(kind))?.judge(object, view) ?? healthy;
};
