// Definitions of progressive delivery: Argo Rollouts' kinds, so that its manifests fit, and Release.
import type { Definition } from './definitions.js';
import { analysis } from './rollouts/analysis.js';
import { experiments } from './rollouts/experiment.js';
import { releases } from './rollouts/release.js';
import { analysisOfRollouts } from './rollouts/rollout-analysis.js';
import { rolloutStatus } from './rollouts/rollout-status.js';
import { rollout } from './rollouts/rollout.js';

const qualified = (definitions: Readonly<Record<string, Definition>>): Readonly<Record<string, Definition>> =>
  Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [`io.argoproj.v1alpha1.${name}`, definition]),
  );

export const rolloutDefinitions: Readonly<Record<string, Definition>> = {
  ...qualified({ ...rollout, ...analysisOfRollouts, ...rolloutStatus, ...analysis, ...experiments }),
  ...releases,
};
