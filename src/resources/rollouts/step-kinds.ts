// The kinds of steps of a canary, by the one member that a step has.
import type { RolloutCanaryStep } from '../generated/types.js';

export const stepKinds = [
  'setWeight',
  'pause',
  'setCanaryScale',
  'analysis',
  'experiment',
  'setHeaderRoute',
  'setMirrorRoute',
  'plugin',
] as const;

export type StepKind = (typeof stepKinds)[number];

/** Members that the step has; a valid one has exactly one. */
export const kindsOfStep = (step: RolloutCanaryStep): readonly StepKind[] =>
  stepKinds.filter((kind) => step[kind] !== undefined);

/** Undefined for a step that names none. */
export const kindOfStep = (step: RolloutCanaryStep): StepKind | undefined => kindsOfStep(step)[0];
