// Taints that keep pods away unless they tolerate them.
import { untolerated } from '../../resources/tolerations.js';
import type { Filter } from '../placement.js';

const effects = ['NoSchedule', 'NoExecute'];

export const taints: Filter = {
  name: 'taints',
  reject: ({ pod }, { node }) => {
    const taint = untolerated(node.spec.taints, pod.spec.tolerations, effects);
    return taint === undefined
      ? undefined
      : `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  },
};
