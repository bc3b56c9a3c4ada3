// Removes what nobody needs: of each container the ends before the last, dead sandboxes, the sandbox of a pod that is done.
import type { PodAction } from '../pod-actions.js';
import { removeOperation } from '../pod-picture.js';
import { nothingLeftToRun } from './sandbox.js';
import type { Part, StepPart } from './part.js';

const remove = (id: string): PodAction => ({ type: 'remove', operation: removeOperation(id), id });

export const garbagePart: StepPart = (picture): Part => {
  const { containers, sandboxes, sandbox } = picture;
  const old = containers.flatMap(({ history }) => {
    // The last end stays for `logs --previous`, beside what runs now.
    const ended = history.filter(({ state }) => state === 'exited');
    return ended.slice(1).map(({ id }) => remove(id));
  });
  const anyRuns = containers.some(({ running, starting }) => running || starting);
  const done = !anyRuns && nothingLeftToRun(picture);
  const dead = sandboxes.filter((candidate, index) => (done ? true : index > 0 && candidate !== sandbox));
  return { actions: [...old, ...dead.map(({ id }) => remove(id))] };
};
