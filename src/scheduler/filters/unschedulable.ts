// Cordoned nodes take nothing new, unless the pod tolerates the taint that stands for it.
import { tolerates } from '../../resources/tolerations.js';
import type { Filter } from '../placement.js';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

export const unschedulable: Filter = {
  name: 'unschedulable',
  reject: ({ pod }, { node }) =>
    node.spec.unschedulable === true &&
    !(pod.spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint))
      ? 'node(s) were unschedulable'
      : undefined,
};
