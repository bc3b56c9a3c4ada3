// Definitions of Experiment.
import type { Definition } from '../definitions.js';
import { flag, integer, list, listBy, record, text, time, topLevel } from '../shapes.js';
import { argo, duration, own, selector, template } from './shared.js';

export const experiments: Readonly<Record<string, Definition>> = {
  Experiment: topLevel(argo('Experiment', 'Versions that run for a while beside each other, measured.'), {
    spec: own('ExperimentSpec'),
    status: own('ExperimentStatus'),
  }),
  ExperimentSpec: record('What runs, for how long, and what is measured.', {
    templates: listBy('name', own('ExperimentTemplate'), 'Versions.'),
    duration: duration('From when all are available; absent is until it is terminated.'),
    progressDeadlineSeconds: integer('Seconds without progress after which it has failed; 600 by default.'),
    terminate: flag('Ends the experiment.'),
    analyses: listBy('name', own('ExperimentAnalysis'), 'What is measured.'),
    scaleDownDelaySeconds: integer('Seconds until pods go; 30 by default.'),
    dryRun: list(own('AnalysisDryRun'), 'Metrics whose outcome does not count.'),
    measurementRetention: list(own('AnalysisRetention'), 'Measurements that are kept.'),
    analysisRunMetadata: own('RolloutPodMetadata'),
  }),
  ExperimentTemplate: record(
    'A version.',
    {
      name: text('Of the version.'),
      replicas: integer('Pods; 1 by default.'),
      minReadySeconds: integer('Seconds for which a pod must be ready to count as available.'),
      selector,
      template,
      service: own('ExperimentTemplateService'),
    },
    ['name'],
  ),
  ExperimentTemplateService: record('A service of the version.', { name: text('Of the service.') }),
  ExperimentAnalysis: record(
    'What is measured.',
    {
      name: text('Of the analysis.'),
      templateName: text('Name of the template.'),
      clusterScope: flag('Whether it is a ClusterAnalysisTemplate.'),
      args: list(own('AnalysisArgument'), 'Values of arguments.'),
      requiredForCompletion: flag('Whether the experiment ends only after it.'),
    },
    ['name', 'templateName'],
  ),
  ExperimentStatus: record('Where the experiment stands.', {
    phase: text('Pending, Running, Successful, Failed, Error or Inconclusive.'),
    message: text('Why.'),
    availableAt: time('When all versions were available.'),
    completedAt: time('When it ended.'),
    templateStatuses: listBy('name', own('ExperimentTemplateStatus'), 'By version.'),
    conditions: listBy('type', own('RolloutCondition'), 'Conditions.'),
    analysisRuns: listBy('name', own('ExperimentRunStatus'), 'By analysis.'),
  }),
  ExperimentTemplateStatus: record('Where a version stands.', {
    name: text('Of the version.'),
    replicas: integer('Pods.'),
    updatedReplicas: integer('Pods of its template.'),
    readyReplicas: integer('Pods that are ready.'),
    availableReplicas: integer('Pods that are available.'),
    collisionCount: integer('Hashes that were taken.'),
    status: text('Progressing, Running, Successful, Failed or Error.'),
    message: text('Why.'),
    lastTransitionTime: time('Since when.'),
    serviceName: text('Of its service.'),
    podTemplateHash: text('Of its template.'),
  }),
  ExperimentRunStatus: record('Where an analysis stands.', {
    name: text('Of the analysis.'),
    analysisRun: text('Name of its run.'),
    phase: text('Of the run.'),
    message: text('Why.'),
  }),
};
