// The Experiment that a step asks for, made of the versions of its rollout.
import type {
  Experiment,
  ExperimentTemplate,
  ReplicaSet,
  Rollout,
  RolloutExperimentStep,
  RolloutExperimentTemplate,
} from '../../resources/generated/types.js';
import { versionLabel } from '../../resources/rollouts/service-version.js';
import type { Progress } from '../strategies/strategy.js';
import { argumentsOf } from './arguments.js';
import { hashOf } from '../versions.js';

export interface ExperimentSources {
  readonly sets: readonly ReplicaSet[];
}

const withoutHash = (
  labels: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => name !== versionLabel));

/** Pods of an experiment must not be those of the version itself: they have its labels but a hash of their own. */
const templateOf = (entry: RolloutExperimentTemplate, set: ReplicaSet): ExperimentTemplate => {
  const { template, selector, minReadySeconds } = set.spec;
  const labels = { ...withoutHash(template?.metadata?.labels), ...entry.metadata?.labels };
  const annotations = { ...template?.metadata?.annotations, ...entry.metadata?.annotations };
  return {
    name: entry.name ?? '',
    ...(entry.replicas === undefined ? {} : { replicas: entry.replicas }),
    ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    selector: entry.selector ?? { ...selector, matchLabels: withoutHash(selector.matchLabels) },
    template: { ...template, metadata: { ...template?.metadata, labels, annotations } },
    ...(entry.service === undefined ? {} : { service: entry.service }),
  };
};

/** A sentence where it cannot be made. */
export const experimentOf = (
  rollout: Rollout,
  progress: Progress,
  step: RolloutExperimentStep,
  { sets }: ExperimentSources,
): Experiment['spec'] | string => {
  const templates: ExperimentTemplate[] = [];
  for (const entry of step.templates ?? []) {
    const hash = entry.specRef === 'stable' ? progress.stable : progress.current;
    const set = sets.find((one) => hashOf(one) === hash);
    if (set === undefined) return `there is no ${entry.specRef ?? ''} version for the experiment`;
    templates.push(templateOf(entry, set));
  }
  return {
    templates,
    ...(step.duration === undefined ? {} : { duration: step.duration }),
    ...(rollout.spec.progressDeadlineSeconds === undefined
      ? {}
      : { progressDeadlineSeconds: rollout.spec.progressDeadlineSeconds }),
    ...(step.dryRun === undefined ? {} : { dryRun: step.dryRun }),
    ...(step.measurementRetention === undefined ? {} : { measurementRetention: step.measurementRetention }),
    ...(step.analysisRunMetadata === undefined ? {} : { analysisRunMetadata: step.analysisRunMetadata }),
    analyses: (step.analyses ?? []).map((analysis) => ({
      name: analysis.name ?? analysis.templateName ?? '',
      templateName: analysis.templateName ?? '',
      ...(analysis.clusterScope === undefined ? {} : { clusterScope: analysis.clusterScope }),
      ...(analysis.requiredForCompletion === undefined
        ? {}
        : { requiredForCompletion: analysis.requiredForCompletion }),
      args: argumentsOf(rollout, progress, analysis.args),
    })),
  };
};
