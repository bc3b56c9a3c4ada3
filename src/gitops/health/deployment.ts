import type { View } from '../../client/view.js';
import { conditionOf } from '../../resources/conditions.js';
import type { Deployment } from '../../resources/generated/types.js';
import { deployments } from '../../resources/kinds/deployments.js';
import { pods } from '../../resources/kinds/pods.js';
import { selects } from '../../resources/label-selector.js';
import { isDeleting } from '../../resources/resource.js';
import { isPodReady } from '../../resources/pod-status.js';
import { healthy, progressing, type Health, type HealthRule } from './health.js';
import { podTrouble } from './pod.js';

/** What holds its pods up, in the words of the first pod that says so: ` (pod web-1: container web: CrashLoopBackOff)`. */
const troubleOf = (deployment: Deployment, view: View): string => {
  for (const pod of view.list(pods, deployment.metadata.namespace)) {
    if (isDeleting(pod) || isPodReady(pod) || !selects(deployment.spec.selector, pod.metadata.labels))
      continue;
    const trouble = podTrouble(pod);
    if (trouble !== undefined) return `; pod ${pod.metadata.name}: ${trouble}`;
  }
  return '';
};

const progress = (deployment: Deployment): string | undefined => {
  const { spec, status } = deployment;
  const wanted = spec.replicas ?? 1;
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status ?? {};
  if (updatedReplicas < wanted)
    return `${String(updatedReplicas)} of ${String(wanted)} pods are of the new template`;
  if (replicas > updatedReplicas) return `${String(replicas - updatedReplicas)} old pods are going`;
  if (availableReplicas < wanted)
    return `${String(availableReplicas)} of ${String(wanted)} pods are available`;
  return undefined;
};

const judge = (deployment: Deployment, view: View): Health => {
  const { metadata, spec, status } = deployment;
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return progressing('waits for its controller');
  const condition = conditionOf(status?.conditions, 'Progressing');
  if (condition?.status === 'False' && condition.reason === 'ProgressDeadlineExceeded')
    return {
      status: 'Degraded',
      message: `made no progress within ${String(spec.progressDeadlineSeconds ?? 600)} s${troubleOf(deployment, view)}`,
      failed: true,
    };
  const missing = progress(deployment);
  if (missing === undefined) return healthy;
  if (spec.paused === true) return { ...healthy, message: 'is paused' };
  return progressing(`${missing}${troubleOf(deployment, view)}`);
};

export const deploymentHealth: HealthRule<Deployment> = { kind: deployments, judge };
