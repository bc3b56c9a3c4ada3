// CPU and memory of a node should run out together.
import type { Score } from '../placement.js';

const share = (used: number, allocatable: number | undefined): number =>
  allocatable === undefined || allocatable === 0 ? 1 : Math.min(1, used / allocatable);

export const balanced: Score = {
  name: 'balanced',
  weight: 1,
  score: (pod, { allocatable, weight }) => {
    const cpu = share(weight.cpu + pod.weight.cpu, allocatable['cpu']);
    const memory = share(weight.memory + pod.weight.memory, allocatable['memory']);
    return 100 * (1 - Math.abs(cpu - memory));
  },
};
