// The next step of a pod: facts in, actions and the reason out. The parts are asked in order; each adds what it wants.
import type { Instant } from '../../base/clock.js';
import type { Decision } from '../../reconcile/controller.js';
import type { Announcement, PodAction } from '../pod-actions.js';
import { deadlineOf, takePicture } from '../pod-picture.js';
import type { PodObserved } from '../pod-picture.js';
import { containersPart } from './containers.js';
import { garbagePart } from './garbage.js';
import { lastWordsPart } from './last-words.js';
import { mergeParts } from './part.js';
import type { StepPart } from './part.js';
import { probesPart } from './probes.js';
import { sandboxPart } from './sandbox.js';
import { terminationPart } from './termination.js';
import { volumesPart } from './volumes.js';

export interface PodStep extends Decision<PodAction> {
  readonly announcements: readonly Announcement[];
}

/** Looks again when the pod's time is over. */
const deadlinePart: StepPart = ({ pod }) => ({ actions: [], wakeAt: deadlineOf(pod) });

const living: readonly StepPart[] = [
  volumesPart,
  sandboxPart,
  containersPart,
  probesPart,
  lastWordsPart,
  garbagePart,
  deadlinePart,
];
const ending: readonly StepPart[] = [terminationPart, lastWordsPart];

/** Pure: the same facts give the same step. Operations that are under way are not asked for again. */
export const nextStep = (observed: PodObserved, now: Instant): PodStep => {
  const picture = takePicture(observed, now);
  const parts = (picture.over ? ending : living).map((part) => part(picture));
  const { actions, because, wakeAt, announcements } = mergeParts(parts);
  return {
    actions: actions.filter(({ operation }) => !observed.inFlight.has(operation)),
    because: because ?? 'everything is as it shall be',
    wakeAt,
    announcements: announcements ?? [],
  };
};
