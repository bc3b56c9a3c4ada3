// What the pod would rather have: preferred node affinity, and nodes without PreferNoSchedule taints.
import { untolerated } from '../../resources/tolerations.js';
import { matchesTerm } from '../../resources/node-affinity.js';
import type { Score } from '../placement.js';

export const preferredAffinity: Score = {
  name: 'preferred affinity',
  weight: 2,
  score: ({ pod: { spec } }, { node }) => {
    const terms = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    let matched = 0;
    let all = 0;
    for (const { weight, preference } of terms) {
      all += weight;
      if (matchesTerm(preference, node)) matched += weight;
    }
    return all === 0 ? 0 : (100 * matched) / all;
  },
};

export const preferredTaints: Score = {
  name: 'preferred taints',
  weight: 3,
  score: ({ pod }, { node }) =>
    untolerated(node.spec.taints, pod.spec.tolerations, ['PreferNoSchedule']) === undefined ? 100 : 0,
};
