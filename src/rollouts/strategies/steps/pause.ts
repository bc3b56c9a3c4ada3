// pause: done when its time is over, or when a person has cleared the condition that it set.
import { toTimestamp } from '../../../base/clock.js';
import { parseSeconds } from '../../../resources/go-duration.js';
import { pauseOf, withPause } from '../strategy.js';
import { done, waiting } from './step-rule.js';
import type { StepRule } from './step-rule.js';

export const pause: StepRule = {
  kind: 'pause',
  judge: ({ step, progress, now }) => {
    const { duration } = step.pause ?? {};
    const present = pauseOf(progress, 'CanaryPauseStep');
    if (present === undefined && progress.waits) return done('a person has ended the pause');
    const since = present?.since ?? now;
    const ms = duration === undefined ? undefined : parseSeconds(duration);
    const end = ms === undefined ? undefined : since + ms;
    if (end !== undefined && end <= now) return done('the pause is over');
    return {
      ...waiting(end === undefined ? 'pauses until it is promoted' : `pauses until ${toTimestamp(end)}`, end),
      ...(present === undefined ? { progress: withPause(progress, 'CanaryPauseStep', now) } : {}),
    };
  },
};
