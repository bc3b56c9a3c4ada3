// Reads what a container left at its terminationMessagePath, once for each end.
import type { PodAction } from '../pod-actions.js';
import type { Part, StepPart } from './part.js';

export const lastWordsPart: StepPart = ({ containers }): Part => ({
  actions: containers.flatMap(({ template, history, memory }): readonly PodAction[] => {
    const ended = history.find(({ state }) => state === 'exited');
    if (ended === undefined || memory.lastWords?.[ended.id] !== undefined) return [];
    return [{ type: 'readLastWords', operation: `last-words/${ended.id}`, container: template, ended }];
  }),
});
