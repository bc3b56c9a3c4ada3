// Definitions of what a rollout says of its analyses and experiments.
import type { Definition } from '../definitions.js';
import { flag, integer, list, record, text } from '../shapes.js';
import { duration, own, selector } from './shared.js';

export const analysisOfRollouts: Readonly<Record<string, Definition>> = {
  RolloutAnalysisTemplateRef: record('An AnalysisTemplate.', {
    templateName: text('Its name.'),
    clusterScope: flag('Whether it is a ClusterAnalysisTemplate.'),
  }),
  RolloutAnalysisArgument: record('A value for an argument of the templates.', {
    name: text('Of the argument.'),
    value: text('The value.'),
    valueFrom: own('RolloutArgumentSource'),
  }),
  RolloutArgumentSource: record('Where a value comes from.', {
    podTemplateHashValue: text('Stable or Latest: the hash of that version.'),
    fieldRef: own('RolloutFieldRef'),
  }),
  RolloutFieldRef: record('A field of the rollout.', { fieldPath: text("Such as metadata.labels['app'].") }),
  AnalysisDryRun: record('Metrics whose outcome does not count.', {
    metricName: text('A name, or an expression that names fit.'),
  }),
  AnalysisRetention: record('Measurements that are kept.', {
    metricName: text('A name, or an expression that names fit.'),
    limit: integer('So many; 10 by default.'),
  }),
  RolloutAnalysis: record('An analysis run.', {
    templates: list(own('RolloutAnalysisTemplateRef'), 'What is measured.'),
    args: list(own('RolloutAnalysisArgument'), 'Values of arguments.'),
    dryRun: list(own('AnalysisDryRun'), 'Metrics whose outcome does not count.'),
    measurementRetention: list(own('AnalysisRetention'), 'Measurements that are kept.'),
    analysisRunMetadata: own('RolloutPodMetadata'),
  }),
  RolloutBackgroundAnalysis: record('An analysis run along with the steps.', {
    templates: list(own('RolloutAnalysisTemplateRef'), 'What is measured.'),
    args: list(own('RolloutAnalysisArgument'), 'Values of arguments.'),
    dryRun: list(own('AnalysisDryRun'), 'Metrics whose outcome does not count.'),
    measurementRetention: list(own('AnalysisRetention'), 'Measurements that are kept.'),
    analysisRunMetadata: own('RolloutPodMetadata'),
    startingStep: integer('Index of the step with which it begins; 0 by default.'),
  }),
  RolloutExperimentStep: record('Versions that run for a while beside each other.', {
    templates: list(own('RolloutExperimentTemplate'), 'The versions.'),
    duration: duration('From when all are available.'),
    analyses: list(own('RolloutExperimentAnalysis'), 'What is measured meanwhile.'),
    dryRun: list(own('AnalysisDryRun'), 'Metrics whose outcome does not count.'),
    measurementRetention: list(own('AnalysisRetention'), 'Measurements that are kept.'),
    analysisRunMetadata: own('RolloutPodMetadata'),
  }),
  RolloutExperimentTemplate: record('A version in an experiment.', {
    name: text('Of the version in the experiment.'),
    specRef: text('stable or canary.'),
    replicas: integer('Pods; 1 by default.'),
    metadata: own('RolloutPodMetadata'),
    selector,
    weight: integer('Part of the traffic.'),
    service: own('ExperimentTemplateService'),
  }),
  RolloutExperimentAnalysis: record('What an experiment measures.', {
    name: text('Of the analysis in the experiment.'),
    templateName: text('Name of the template.'),
    clusterScope: flag('Whether it is a ClusterAnalysisTemplate.'),
    args: list(own('RolloutAnalysisArgument'), 'Values of arguments.'),
    requiredForCompletion: flag('Whether the experiment ends only after it.'),
  }),
};
