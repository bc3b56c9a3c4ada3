// Values that a rollout gives to the arguments of its analyses.
import type { AnalysisArgument, Rollout, RolloutAnalysisArgument } from '../../resources/generated/types.js';
import { fieldAt } from '../analysis/field-path.js';
import type { Progress } from '../strategies/strategy.js';

const argumentOf = (rollout: Rollout, progress: Progress, arg: RolloutAnalysisArgument): AnalysisArgument => {
  const { name = '', value, valueFrom } = arg;
  if (valueFrom?.podTemplateHashValue !== undefined)
    return { name, value: valueFrom.podTemplateHashValue === 'Stable' ? progress.stable : progress.current };
  const path = valueFrom?.fieldRef?.fieldPath;
  if (path !== undefined) return { name, value: fieldAt(rollout, path) };
  return { name, value };
};

export const argumentsOf = (
  rollout: Rollout,
  progress: Progress,
  args: readonly RolloutAnalysisArgument[] | undefined,
): readonly AnalysisArgument[] => (args ?? []).map((arg) => argumentOf(rollout, progress, arg));
