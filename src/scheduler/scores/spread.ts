// Pods of one controller, and of one application, go to different nodes: losing one loses few of them.
import type { Score } from '../placement.js';

/** The controller counts most; the application keeps old and new pods of a rollout apart. */
const shares = [0.8, 0.2];

export const spread: Score = {
  name: 'spread',
  weight: 3,
  score: (pod, { groups }) => {
    let score = 0;
    let weight = 0;
    for (const [index, group] of pod.groups.entries()) {
      const share = shares[index] ?? 0;
      score += share / (1 + (groups.get(group) ?? 0));
      weight += share;
    }
    return weight === 0 ? 100 : (100 * score) / weight;
  },
};
