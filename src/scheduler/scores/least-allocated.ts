// Nodes with more left over after the pod come first.
import type { Score } from '../placement.js';

const left = (allocatable: number | undefined, used: number): number =>
  allocatable === undefined || allocatable === 0 ? 0 : Math.max(0, (allocatable - used) / allocatable);

export const leastAllocated: Score = {
  name: 'least allocated',
  weight: 1,
  score: (pod, { allocatable, weight }) =>
    50 *
    (left(allocatable['cpu'], weight.cpu + pod.weight.cpu) +
      left(allocatable['memory'], weight.memory + pod.weight.memory)),
};
