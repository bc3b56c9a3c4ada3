// The contract of a canary's steps: when one is done, and what it waits for until then.
import type { Instant } from '../../../base/clock.js';
import type { RolloutCanaryStep } from '../../../resources/generated/types.js';
import type { StepKind } from '../../../resources/rollouts/step-kinds.js';
import type { Progress, Run, WantedRun } from '../strategy.js';

export interface StepScene {
  readonly step: RolloutCanaryStep;
  readonly index: number;
  readonly progress: Progress;
  /** The pods that this step wants are there and available. */
  readonly isScaled: boolean;
  /** What is to be seen of that, for people: `2 of 5 pods are available`. */
  readonly scale: string;
  /** The traffic has the weight that this step wants. */
  readonly isWeighted: boolean;
  /** The run of this step, once there is one. */
  readonly run: Run | undefined;
  readonly now: Instant;
}

export type StepVerdict =
  | { readonly done: true; readonly because: string }
  | {
      readonly done: false;
      readonly because: string;
      /** With the pause that the step begins. */
      readonly progress?: Progress | undefined;
      readonly wakeAt?: Instant | undefined;
    };

export interface StepRule {
  readonly kind: StepKind;
  judge(scene: StepScene): StepVerdict;
  /** What the step has measured while it is at hand. */
  run?(scene: Pick<StepScene, 'step' | 'index'>): WantedRun | undefined;
}

export const done = (because: string): StepVerdict => ({ done: true, because });

export const waiting = (because: string, wakeAt?: Instant): StepVerdict => ({ done: false, because, wakeAt });
