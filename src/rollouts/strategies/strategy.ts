// The contract of strategies: what is seen of a rollout goes in, its next step comes out. Pure.
import type { Instant } from '../../base/clock.js';
import type { RolloutAnalysis, RolloutExperimentStep, RolloutSpec } from '../../resources/generated/types.js';
import type { Versions } from '../versions.js';

export type Phase = 'Pending' | 'Running' | 'Successful' | 'Failed' | 'Error' | 'Inconclusive';

export const isOver = (phase: Phase): boolean => phase !== 'Pending' && phase !== 'Running';

/** An analysis run, or an experiment. */
export interface Run {
  readonly name: string;
  readonly phase: Phase;
  readonly message: string;
}

export type RunKind = 'step' | 'background' | 'prePromotion' | 'postPromotion' | 'experiment';

export type Runs = { readonly [Kind in RunKind]?: Run | undefined };

/** A run that the strategy wants to be there now; all others are ended. */
export type WantedRun =
  | {
      readonly kind: Exclude<RunKind, 'experiment'>;
      readonly index?: number | undefined;
      readonly analysis: RolloutAnalysis;
    }
  | { readonly kind: 'experiment'; readonly index: number; readonly experiment: RolloutExperimentStep };

export type PauseReason =
  'CanaryPauseStep' | 'BlueGreenPause' | 'InconclusiveAnalysisRun' | 'InconclusiveExperiment';

export interface Pause {
  readonly reason: PauseReason;
  readonly since: Instant;
}

/** What the status remembers of the way so far. */
export interface Progress {
  /** Hash of the template that is wanted. */
  readonly current: string;
  /** Hash of the version that is known to be good; empty before the first. */
  readonly stable: string;
  /** The step at hand; the number of steps when all are done. */
  readonly index: number;
  readonly aborted: boolean;
  readonly abortedAt: Instant | undefined;
  readonly abortMessage: string;
  readonly pauses: readonly Pause[];
  /** The strategy waits for someone: set with a pause, and still set when a person has cleared it. */
  readonly waits: boolean;
  readonly promoteFull: boolean;
  /** What the current version gets of the traffic now. */
  readonly weight: number;
  /** Hash behind the active service; empty before the first. */
  readonly active: string;
  /** The preview may have all its pods. */
  readonly scaledUp: boolean;
}

/** How far the other members of its release are. */
export interface Peers {
  /** The first step that a member has not done yet; undefined when no member is behind. */
  readonly behindAt: number | undefined;
  /** Name of a member that is behind, for people. */
  readonly behind: string | undefined;
}

export interface Observed {
  readonly spec: RolloutSpec;
  /** `spec.replicas`. */
  readonly replicas: number;
  readonly versions: Versions;
  readonly progress: Progress;
  readonly runs: Runs;
  /** The wanted version has served before and may come back without steps and analysis. */
  readonly isFastRollback: boolean;
  /** Nobody may go on: `spec.paused`, or a person holds this step. */
  readonly isHeld: boolean;
  readonly peers: Peers;
}

export interface RolloutStep {
  readonly progress: Progress;
  /** Sizes by name of ReplicaSet, of those whose size changes. */
  readonly sizes: ReadonlyMap<string, number>;
  /** By name of ReplicaSet, when it goes; undefined takes the time away. */
  readonly deadlines: ReadonlyMap<string, Instant | undefined>;
  /** Hashes by name of service. */
  readonly selectors: ReadonlyMap<string, string>;
  /** Parts of the traffic to a service by hash, where it is split; undefined ends the split. */
  readonly splits: ReadonlyMap<string, Split | undefined>;
  readonly runs: readonly WantedRun[];
  readonly because: string;
  readonly wakeAt: Instant | undefined;
}

/** Weights by hash. */
export type Split = ReadonlyMap<string, number>;

export interface Strategy {
  readonly name: string;
  next(observed: Observed, now: Instant): RolloutStep;
}

/** What a strategy decided about the way, before it places pods and traffic. */
export interface Advance {
  readonly progress: Progress;
  readonly because: string;
  readonly wakeAt?: Instant | undefined;
}

export const earliest = (...times: readonly (Instant | undefined)[]): Instant | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

/** Something is under way: the wanted version is not the good one. */
export const isUpdating = ({ stable, current }: Progress): boolean => stable !== '' && stable !== current;

export const withPause = (progress: Progress, reason: PauseReason, now: Instant): Progress => ({
  ...progress,
  waits: true,
  pauses: [...progress.pauses.filter((pause) => pause.reason !== reason), { reason, since: now }],
});

export const withoutPauses = (progress: Progress): Progress => ({ ...progress, waits: false, pauses: [] });

export const pauseOf = ({ pauses }: Progress, reason: PauseReason): Pause | undefined =>
  pauses.find((pause) => pause.reason === reason);
