// What runs and people decide before a strategy does: a failed run aborts, one without verdict waits for a person.
import type { Instant } from '../../base/clock.js';
import { isUpdating, pauseOf, withPause } from './strategy.js';
import type { Observed, PauseReason, Progress, Run, RunKind } from './strategy.js';

const titles: { readonly [Kind in RunKind]: string } = {
  step: 'Step-based analysis',
  background: 'Background analysis',
  prePromotion: 'Pre-promotion analysis',
  postPromotion: 'Post-promotion analysis',
  experiment: 'Experiment',
};

export const aborted = (progress: Progress, message: string, now: Instant): Progress => ({
  ...progress,
  aborted: true,
  abortedAt: progress.abortedAt ?? now,
  abortMessage: progress.abortMessage === '' ? message : progress.abortMessage,
  pauses: [],
  waits: false,
  promoteFull: false,
});

const failureOf = (kind: RunKind, { name, phase, message }: Run): string =>
  `${titles[kind]} phase error/failed: ${message === '' ? `${name} is ${phase}` : message}`;

/** The progress with what the runs say in it. */
export const judged = ({ runs, progress }: Observed, now: Instant): Progress => {
  if (progress.aborted) return aborted(progress, progress.abortMessage, now);
  if (!isUpdating(progress)) return progress;
  let next = progress;
  for (const kind of Object.keys(titles) as RunKind[]) {
    const run = runs[kind];
    if (run === undefined) continue;
    if (run.phase === 'Failed' || run.phase === 'Error') return aborted(next, failureOf(kind, run), now);
    const reason: PauseReason = kind === 'experiment' ? 'InconclusiveExperiment' : 'InconclusiveAnalysisRun';
    if (run.phase === 'Inconclusive' && !next.waits && pauseOf(next, reason) === undefined)
      next = withPause(next, reason, now);
  }
  return next;
};

/** Paused because a run came to no verdict: nothing goes on before a person says so. */
export const isUndecided = ({ pauses }: Progress): boolean =>
  pauses.some(({ reason }) => reason === 'InconclusiveAnalysisRun' || reason === 'InconclusiveExperiment');
