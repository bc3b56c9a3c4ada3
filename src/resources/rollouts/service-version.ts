// What a rollout adds to the Services that it manages, and by which others know them.

/** On Services whose selector names a version of a rollout: the name of the rollout. As Argo Rollouts has it. */
export const managedByAnnotation = 'argo-rollouts.argoproj.io/managed-by-rollouts';

/** Label of a version's pods and ReplicaSet, and key in the selectors of Services that belong to one version. */
export const versionLabel = 'rollouts-pod-template-hash';
