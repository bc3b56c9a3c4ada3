// Analysis runs and experiments of a rollout: which one belongs to what the strategy wants, new ones, and the end of others.
import { analysisRunsByController, experimentsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { AnalysisRun, Experiment, Rollout } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { analysisruns } from '../../resources/kinds/analysisruns.js';
import { experiments } from '../../resources/kinds/experiments.js';
import { nameOf, ownedBy } from '../../resources/resource.js';
import type { Resource } from '../../resources/resource.js';
import { versionLabel } from '../../resources/rollouts/service-version.js';
import { assembled } from '../analysis/templates.js';
import type { FindTemplate } from '../analysis/templates.js';
import { isOver } from '../strategies/strategy.js';
import type { Phase, Progress, Run, RunKind, Runs, WantedRun } from '../strategies/strategy.js';
import { argumentsOf } from './arguments.js';
import { experimentOf } from './experiment.js';
import type { ExperimentSources } from './experiment.js';

const kindLabel = 'rollout-type';
const indexLabel = 'step-index';

const kindNames: { readonly [K in RunKind]: string } = {
  step: 'Step',
  background: 'Background',
  prePromotion: 'PrePromotion',
  postPromotion: 'PostPromotion',
  experiment: 'Experiment',
};

const suffixes: { readonly [K in RunKind]: string } = {
  step: '',
  background: '',
  prePromotion: '-pre',
  postPromotion: '-post',
  experiment: '',
};

type Owned = AnalysisRun | Experiment;

export interface RunState {
  readonly rollout: Rollout;
  readonly progress: Progress;
  /** A new template or another try: what was measured before does not count. */
  readonly isNew: boolean;
  readonly analysisRuns: readonly AnalysisRun[];
  readonly experiments: readonly Experiment[];
}

const phaseOf = ({ status }: Owned): Phase => (status?.phase ?? 'Pending') as Phase;

const runOf = (object: Owned): Run => ({
  name: object.metadata.name,
  phase: phaseOf(object),
  message: object.status?.message ?? '',
});

const fits = ({ metadata }: Resource, kind: RunKind, index: number | undefined, hash: string): boolean =>
  metadata.labels?.[kindLabel] === kindNames[kind] &&
  metadata.labels[versionLabel] === hash &&
  (index === undefined || metadata.labels[indexLabel] === String(index));

const nameInStatus = ({ status }: Rollout, kind: RunKind): string | undefined => {
  const { canary, blueGreen } = status ?? {};
  const names: { readonly [K in RunKind]: string | undefined } = {
    step: canary?.currentStepAnalysisRunStatus?.name,
    background: canary?.currentBackgroundAnalysisRunStatus?.name,
    prePromotion: blueGreen?.prePromotionAnalysisRunStatus?.name,
    postPromotion: blueGreen?.postPromotionAnalysisRunStatus?.name,
    experiment: canary?.currentExperiment,
  };
  return names[kind];
};

const isEnding = (object: Owned): boolean => object.spec.terminate === true;

/**
 * The run that counts: the one that the status names, or one that was made when the status could not be written any more.
 * A run without verdict that a person has waved on is done with: another one begins.
 */
const counting = (state: RunState, kind: RunKind, index: number | undefined): Owned | undefined => {
  const { rollout, progress, isNew } = state;
  const owned: readonly Owned[] = kind === 'experiment' ? state.experiments : state.analysisRuns;
  const fitting = owned.filter((object) => fits(object, kind, index, progress.current));
  const named = isNew ? undefined : nameInStatus(rollout, kind);
  const found = fitting.find(({ metadata }) => metadata.name === named);
  const isWavedOn = progress.waits && progress.pauses.length === 0;
  if (found !== undefined) return phaseOf(found) === 'Inconclusive' && isWavedOn ? undefined : found;
  return fitting.find((object) => !isOver(phaseOf(object)) && !isEnding(object));
};

/** As the strategies see them; of a step only the run of the step at hand. */
export const runsOf = (state: RunState): Runs => {
  const find = (kind: RunKind, index?: number): Run | undefined => {
    const object = counting(state, kind, index);
    return object === undefined ? undefined : runOf(object);
  };
  const { index } = state.progress;
  return {
    step: find('step', index),
    background: find('background'),
    prePromotion: find('prePromotion'),
    postPromotion: find('postPromotion'),
    experiment: find('experiment', index),
  };
};

export interface RunSources extends ExperimentSources {
  readonly find: FindTemplate;
  readonly revision: number;
}

export interface RunOutcome {
  readonly actions: readonly ClusterAction[];
  /** Names of the runs that count from now on. */
  readonly names: { readonly [K in RunKind]?: string };
  readonly problem: string | undefined;
}

const freeName = (base: string, taken: ReadonlySet<string>): string => {
  for (let attempt = 0; ; attempt += 1) {
    const name = attempt === 0 ? base : `${base}.${String(attempt)}`;
    if (!taken.has(name)) return name;
  }
};

const labelsOf = (wanted: WantedRun, hash: string): Readonly<Record<string, string>> => ({
  [kindLabel]: kindNames[wanted.kind],
  [versionLabel]: hash,
  ...(wanted.index === undefined ? {} : { [indexLabel]: String(wanted.index) }),
});

const creation = (
  state: RunState,
  wanted: WantedRun,
  { name, sources }: { readonly name: string; readonly sources: RunSources },
): ClusterAction | string => {
  const { rollout, progress } = state;
  const metadata = {
    name,
    namespace: rollout.metadata.namespace,
    labels: labelsOf(wanted, progress.current),
    annotations: { 'rollout.argoproj.io/revision': String(sources.revision) },
    ownerReferences: [ownedBy(rollout)],
  };
  if (wanted.kind === 'experiment') {
    const spec = experimentOf(rollout, progress, wanted.experiment, sources);
    return typeof spec === 'string' ? spec : create(experiments, { metadata, spec });
  }
  const { analysis } = wanted;
  const result = assembled(
    {
      templates: analysis.templates ?? [],
      args: argumentsOf(rollout, progress, analysis.args),
      dryRun: analysis.dryRun ?? [],
      measurementRetention: analysis.measurementRetention ?? [],
    },
    sources.find,
  );
  if ('problem' in result) return result.problem;
  const given = analysis.analysisRunMetadata;
  return create(analysisruns, {
    metadata: {
      ...metadata,
      labels: { ...given?.labels, ...metadata.labels },
      annotations: { ...given?.annotations, ...metadata.annotations },
    },
    spec: result.spec,
  });
};

const create = (kind: Kind, object: object): ClusterAction => ({
  type: 'create',
  kind,
  object: object as Extract<ClusterAction, { type: 'create' }>['object'],
});

const termination = (kind: Kind, object: Owned): ClusterAction => ({
  type: 'patch',
  kind,
  name: nameOf(object),
  patch: { type: 'merge', patch: { spec: { terminate: true } } },
});

/** What is wanted is there or made; what is not wanted and still runs is ended. */
export const runActions = (
  state: RunState,
  wanted: readonly WantedRun[],
  sources: RunSources,
): RunOutcome => {
  const { rollout, progress } = state;
  const all: readonly Owned[] = [...state.analysisRuns, ...state.experiments];
  const taken = new Set(all.map(({ metadata }) => metadata.name));
  const names: { [K in RunKind]?: string } = {};
  const actions: ClusterAction[] = [];
  let problem: string | undefined;
  for (const one of wanted) {
    const present = counting(state, one.kind, one.index);
    if (present !== undefined) {
      names[one.kind] = present.metadata.name;
      continue;
    }
    const step = one.index === undefined ? '' : `-${String(one.index)}`;
    const base = `${rollout.metadata.name}-${progress.current}-${String(sources.revision)}${step}${suffixes[one.kind]}`;
    const name = freeName(base, taken);
    const action = creation(state, one, { name, sources });
    if (typeof action === 'string') problem ??= action;
    else {
      actions.push(action);
      names[one.kind] = name;
    }
  }
  const kept = new Set(Object.values(names));
  for (const object of all) {
    if (kept.has(object.metadata.name) || isOver(phaseOf(object)) || isEnding(object)) continue;
    actions.push(termination(object.kind === experiments.kind ? experiments : analysisruns, object));
  }
  return { actions, names, problem };
};

/** Finished runs beyond the limits, the oldest first; never those that the status names. */
export const runCleanup = (state: RunState, names: ReadonlySet<string>): readonly ClusterAction[] => {
  const { successfulRunHistoryLimit: good = 5, unsuccessfulRunHistoryLimit: bad = 5 } =
    state.rollout.spec.analysis ?? {};
  const expired = (objects: readonly Owned[], kind: Kind): readonly ClusterAction[] => {
    const over = objects
      .filter((object) => isOver(phaseOf(object)) && !names.has(object.metadata.name))
      .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1));
    const isGood = (object: Owned): boolean => phaseOf(object) === 'Successful';
    return [...over.filter(isGood).slice(good), ...over.filter((object) => !isGood(object)).slice(bad)].map(
      (object) => ({
        type: 'delete',
        kind,
        name: nameOf(object),
        options: { preconditions: { uid: object.metadata.uid } },
      }),
    );
  };
  return [...expired(state.analysisRuns, analysisruns), ...expired(state.experiments, experiments)];
};

/** Those that the rollout manages. */
export const ownedRuns = (
  view: View,
  { metadata: { uid } }: Rollout,
): Pick<RunState, 'analysisRuns' | 'experiments'> => ({
  analysisRuns: view.lookup(analysisRunsByController, uid),
  experiments: view.lookup(experimentsByController, uid),
});
