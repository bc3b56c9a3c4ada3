// In which order kinds are applied: what others refer to comes first. Deletion goes the other way round.
import type { Kind } from '../resources/kind.js';

const order: readonly string[] = [
  'Namespace',
  'CustomResourceDefinition',
  'PriorityClass',
  'RuntimeClass',
  'ResourceQuota',
  'LimitRange',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Service',
  'Endpoints',
  'EndpointSlice',
  'ClusterAnalysisTemplate',
  'AnalysisTemplate',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'Rollout',
  'StatefulSet',
  'Job',
  'CronJob',
  'HorizontalPodAutoscaler',
  'Ingress',
  'Release',
];

/** Smaller comes first; kinds that nobody here knows come last, since they may need anything. */
export const rankOf = ({ kind }: Pick<Kind, 'kind'>): number => {
  const rank = order.indexOf(kind);
  return rank === -1 ? order.length : rank;
};
