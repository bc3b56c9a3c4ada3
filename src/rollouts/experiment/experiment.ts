// Experiment: versions that run for a while beside each other, measured; what fails ends it.
import { fromTimestamp, toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import { analysisRunsByController, replicaSetsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import { ownerKeys } from '../../reconcile/ownership.js';
import type {
  AnalysisArgument,
  AnalysisRun,
  Experiment,
  ExperimentAnalysis,
  ExperimentStatus,
  ExperimentTemplate,
  ReplicaSet,
} from '../../resources/generated/types.js';
import { parseGoDuration } from '../../resources/go-duration.js';
import { analysisruns } from '../../resources/kinds/analysisruns.js';
import { experiments } from '../../resources/kinds/experiments.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { services } from '../../resources/kinds/services.js';
import { isDeleting, nameOf, ownedBy } from '../../resources/resource.js';
import { assembled, templatesIn } from '../analysis/templates.js';
import type { FindTemplate } from '../analysis/templates.js';
import { earliest, isOver } from '../strategies/strategy.js';
import type { Phase } from '../strategies/strategy.js';
import {
  countsOf,
  hashOf,
  isAvailable,
  resized,
  serviceCreation,
  serviceName,
  setCreation,
  setName,
} from './versions.js';

export interface ExperimentObserved {
  readonly experiment: Experiment;
  /** By name. */
  readonly sets: ReadonlyMap<string, ReplicaSet>;
  readonly runs: ReadonlyMap<string, AnalysisRun>;
  readonly find: FindTemplate;
  hasService(name: string): boolean;
}

const observe = (view: View, key: Key): ExperimentObserved | undefined => {
  const experiment = view.get(experiments, key);
  if (experiment === undefined) return undefined;
  const { uid, namespace } = experiment.metadata;
  return {
    experiment,
    sets: new Map(view.lookup(replicaSetsByController, uid).map((set) => [set.metadata.name, set])),
    runs: new Map(view.lookup(analysisRunsByController, uid).map((run) => [run.metadata.name, run])),
    find: templatesIn(view, namespace),
    hasService: (name) => view.get(services, { name, namespace }) !== undefined,
  };
};

const templatesOf = ({ spec }: Experiment): readonly ExperimentTemplate[] => spec.templates ?? [];
const runName = ({ metadata }: Experiment, { name }: ExperimentAnalysis): string =>
  `${metadata.name}-${name}`;

/** `{{templates.base.podTemplateHash}}` and `{{templates.base.replicaset.name}}` in the values of arguments. */
const argumentsOf = (
  experiment: Experiment,
  args: readonly AnalysisArgument[] | undefined,
): readonly AnalysisArgument[] =>
  (args ?? []).map((arg) => ({
    ...arg,
    ...(arg.value === undefined
      ? {}
      : {
          value: arg.value.replace(
            /\{\{\s*templates\.([^.}\s]+)\.(podTemplateHash|replicaset\.name)\s*\}\}/g,
            (whole, name: string, what: string) => {
              const entry = templatesOf(experiment).find((one) => one.name === name);
              if (entry === undefined) return whole;
              return what === 'podTemplateHash' ? hashOf(experiment, entry) : setName(experiment, entry);
            },
          ),
        }),
  }));

interface RunStep {
  readonly actions: readonly ClusterAction[];
  readonly problem: string | undefined;
}

const runCreation = (
  experiment: Experiment,
  analysis: ExperimentAnalysis,
  find: FindTemplate,
): ClusterAction | string => {
  const { spec } = experiment;
  const reference = { templateName: analysis.templateName, clusterScope: analysis.clusterScope };
  const result = assembled(
    {
      templates: [reference],
      args: argumentsOf(experiment, analysis.args),
      dryRun: spec.dryRun ?? [],
      measurementRetention: spec.measurementRetention ?? [],
    },
    find,
  );
  if ('problem' in result) return result.problem;
  return {
    type: 'create',
    kind: analysisruns,
    object: {
      metadata: {
        ...spec.analysisRunMetadata,
        name: runName(experiment, analysis),
        namespace: experiment.metadata.namespace,
        ownerReferences: [ownedBy(experiment)],
      },
      spec: result.spec,
    } as Extract<ClusterAction, { type: 'create' }>['object'],
  };
};

const missingRuns = ({ experiment, runs, find }: ExperimentObserved): RunStep => {
  const actions: ClusterAction[] = [];
  let problem: string | undefined;
  for (const analysis of experiment.spec.analyses ?? []) {
    if (runs.has(runName(experiment, analysis))) continue;
    const made = runCreation(experiment, analysis, find);
    if (typeof made === 'string') problem ??= made;
    else actions.push(made);
  }
  return { actions, problem };
};

const missingVersions = ({ experiment, sets, hasService }: ExperimentObserved): readonly ClusterAction[] =>
  templatesOf(experiment).flatMap((entry) => {
    const service = serviceName(experiment, entry);
    const made =
      service === undefined || hasService(service) ? undefined : serviceCreation(experiment, entry);
    return [
      ...(sets.has(setName(experiment, entry)) ? [] : [setCreation(experiment, entry)]),
      ...(made === undefined ? [] : [made]),
    ];
  });

const phaseOf = (run: AnalysisRun | undefined): Phase => (run?.status?.phase ?? 'Pending') as Phase;

interface Verdict {
  /** Undefined while it runs. */
  readonly phase: Phase | undefined;
  readonly message: string;
  readonly wakeAt?: Instant | undefined;
}

const going = (message: string, wakeAt?: Instant): Verdict => ({ phase: undefined, message, wakeAt });

/** A version that does not come up in time has failed. */
const unavailable = ({ experiment, sets }: ExperimentObserved, now: Instant): Verdict | undefined => {
  const late = templatesOf(experiment).find(
    (entry) => !isAvailable(entry, sets.get(setName(experiment, entry))),
  );
  if (late === undefined || experiment.status?.availableAt !== undefined) return undefined;
  const begun = fromTimestamp(experiment.metadata.creationTimestamp) ?? now;
  const end = begun + (experiment.spec.progressDeadlineSeconds ?? 600) * 1000;
  return end <= now
    ? { phase: 'Failed', message: `Template '${late.name}' has timed out progressing` }
    : going(`brings version ${late.name} up`, end);
};

const judged = (observed: ExperimentObserved, availableAt: Instant | undefined, now: Instant): Verdict => {
  const { experiment, runs } = observed;
  const { analyses = [], duration, terminate } = experiment.spec;
  for (const analysis of analyses) {
    const run = runs.get(runName(experiment, analysis));
    const phase = phaseOf(run);
    if (isOver(phase) && phase !== 'Successful')
      return { phase, message: `Analysis '${analysis.name}' is ${phase}: ${run?.status?.message ?? ''}` };
  }
  if (terminate === true) return { phase: 'Successful', message: 'it was terminated' };
  const late = unavailable(observed, now);
  if (late !== undefined) return late;
  const required = analyses.filter(({ requiredForCompletion }) => requiredForCompletion === true);
  const open = required.find((analysis) => !isOver(phaseOf(runs.get(runName(experiment, analysis)))));
  if (open !== undefined) return going(`waits for analysis ${open.name}`);
  const ms = duration === undefined ? undefined : parseGoDuration(duration);
  if (ms === undefined)
    return required.length > 0 ? { phase: 'Successful', message: '' } : going('runs until it is terminated');
  const end = (availableAt ?? now) + ms;
  return end <= now ? { phase: 'Successful', message: '' } : going(`runs until ${toTimestamp(end)}`, end);
};

/** Pods of an experiment that is over stay for their delay, then go. */
const afterwards = (
  { experiment, sets, runs }: ExperimentObserved,
  now: Instant,
): Decision<ClusterAction> => {
  const { phase = '', message = '', completedAt } = experiment.status ?? {};
  const end = (fromTimestamp(completedAt) ?? now) + (experiment.spec.scaleDownDelaySeconds ?? 30) * 1000;
  const endings = [...runs.values()]
    .filter((run) => !isOver(phaseOf(run)) && run.spec.terminate !== true)
    .map((run): ClusterAction => ({
      type: 'patch',
      kind: analysisruns,
      name: nameOf(run),
      patch: { type: 'merge', patch: { spec: { terminate: true } } },
    }));
  const running = [...sets.values()].filter((set) => (set.spec.replicas ?? 1) > 0);
  return {
    actions: [...endings, ...(end <= now ? running.flatMap((set) => resized(set, 0)) : [])],
    because: message === '' ? `is over: ${phase}` : `is over: ${phase}: ${message}`,
    wakeAt: end > now && running.length > 0 ? end : undefined,
  };
};

const statusOf = (
  observed: ExperimentObserved,
  verdict: Verdict,
  availableAt: Instant | undefined,
  now: Instant,
): ExperimentStatus => {
  const { experiment, sets, runs } = observed;
  const isUp = availableAt !== undefined;
  return {
    phase: verdict.phase ?? (isUp ? 'Running' : 'Pending'),
    message: verdict.message,
    ...(isUp ? { availableAt: toTimestamp(availableAt) } : {}),
    ...(verdict.phase === undefined ? {} : { completedAt: toTimestamp(now) }),
    templateStatuses: templatesOf(experiment).map((entry) => ({
      ...countsOf(experiment, entry, sets.get(setName(experiment, entry))),
      status: verdict.phase ?? (isUp ? 'Running' : 'Progressing'),
    })),
    analysisRuns: (experiment.spec.analyses ?? []).flatMap((analysis) => {
      const run = runs.get(runName(experiment, analysis));
      return run === undefined
        ? []
        : [
            {
              name: analysis.name,
              analysisRun: run.metadata.name,
              phase: phaseOf(run),
              message: run.status?.message ?? '',
            },
          ];
    }),
  };
};

export const reconcileExperiment = (observed: ExperimentObserved, now: Instant): Decision<ClusterAction> => {
  const { experiment, sets } = observed;
  if (isDeleting(experiment)) return { actions: [], because: 'it is being deleted' };
  if (isOver((experiment.status?.phase ?? 'Pending') as Phase)) return afterwards(observed, now);
  const isUp = templatesOf(experiment).every((entry) =>
    isAvailable(entry, sets.get(setName(experiment, entry))),
  );
  const availableAt = fromTimestamp(experiment.status?.availableAt) ?? (isUp ? now : undefined);
  const runs = availableAt === undefined ? { actions: [], problem: undefined } : missingRuns(observed);
  const verdict: Verdict =
    runs.problem === undefined
      ? judged(observed, availableAt, now)
      : { phase: 'Error', message: runs.problem };
  const status = statusOf(observed, verdict, availableAt, now);
  const isSame = equal(experiment.status ?? {}, status);
  return {
    actions: [
      ...missingVersions(observed),
      ...(verdict.phase === undefined ? runs.actions : []),
      ...(isSame
        ? []
        : [
            {
              type: 'updateStatus',
              kind: experiments,
              object: { ...experiment, status } as Experiment,
            } as const,
          ]),
    ],
    because: verdict.message,
    wakeAt: earliest(verdict.wakeAt),
  };
};

export const experimentController: Controller<ExperimentObserved, ClusterAction> = {
  name: 'experiment',
  watches: [
    { kind: experiments, keys: ({ object }) => [nameOf(object)] },
    { kind: replicasets, keys: (change) => ownerKeys(experiments, change) },
    { kind: analysisruns, keys: (change) => ownerKeys(experiments, change) },
  ],
  indexes: [replicaSetsByController, analysisRunsByController],
  observe,
  reconcile: reconcileExperiment,
};
