// What the cluster, not the author, decides about a new pod: how long it outlives its node.
import type { Pod, Toleration } from '../../resources/generated/types.js';
import type { Admission, AdmissionRequest } from './admission.js';

export const newPod = (request: AdmissionRequest): Pod | undefined =>
  request.operation === 'create' && request.kind.group === '' && request.kind.plural === 'pods'
    ? (request.object as unknown as Pod)
    : undefined;

/**
 * Kubernetes waits 300 s. Here a silent node's pods run elsewhere within 12 s of its last heartbeat: about 6 s until the
 * silence counts as failure, these 5 s, and the rest for the scheduler and the start. In seconds.
 */
export const tolerationSeconds = 5;

const lostNodeTaints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

const tolerates = (tolerations: readonly Toleration[], taint: string): boolean =>
  tolerations.some(
    ({ key = '', effect = '' }) => (key === '' || key === taint) && (effect === '' || effect === 'NoExecute'),
  );

export const defaultTolerations: Admission = {
  name: 'DefaultTolerationSeconds',
  admit: (request) => {
    const pod = newPod(request);
    if (pod === undefined) return undefined;
    const tolerations = pod.spec.tolerations ?? [];
    const added = lostNodeTaints
      .filter((taint) => !tolerates(tolerations, taint))
      .map((key): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }));
    if (added.length === 0) return undefined;
    return { object: { ...pod, spec: { ...pod.spec, tolerations: [...tolerations, ...added] } } };
  },
};
