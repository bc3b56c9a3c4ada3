// Rollouts as the status branch and the commits of Capstan tell of them. Pure.
import { stringify } from 'yaml';
import { analysisRunsByController } from '../client/indexes.js';
import type { View } from '../client/view.js';
import type { AnalysisRun, Rollout } from '../resources/generated/types.js';
import { analysisruns } from '../resources/kinds/analysisruns.js';
import { rollouts } from '../resources/kinds/rollouts.js';
import { versionLabel } from '../resources/rollouts/service-version.js';
import { kindOfStep } from '../resources/rollouts/step-kinds.js';
import { fullWeight, stepsOf } from '../resources/rollouts/strategy-of.js';
import { applicationOf } from './ownership.js';

export interface RolloutFact {
  readonly rollout: Rollout;
  /** Of its present version, the newest last. */
  readonly runs: readonly AnalysisRun[];
}

const runNames = ({ status }: Rollout): readonly (string | undefined)[] => [
  status?.canary?.currentStepAnalysisRunStatus?.name,
  status?.canary?.currentBackgroundAnalysisRunStatus?.name,
  status?.blueGreen?.prePromotionAnalysisRunStatus?.name,
  status?.blueGreen?.postPromotionAnalysisRunStatus?.name,
];

/**
 * After an abort the status names no run any more, but its message ends with that of the run that failed. A version can
 * have failed runs of earlier tries too: when it is a person who aborts, the message quotes none of them.
 */
const runThatFailed = (view: View, { metadata, status }: Rollout): readonly AnalysisRun[] => {
  if (status?.abort !== true) return [];
  const hash = status.currentPodHash;
  return view
    .lookup(analysisRunsByController, metadata.uid)
    .filter(({ metadata: { labels }, status: own }) => {
      const message = own?.message ?? '';
      return labels?.[versionLabel] === hash && message !== '' && status.message?.includes(message) === true;
    })
    .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
    .slice(-1);
};

const runsOf = (view: View, rollout: Rollout): readonly AnalysisRun[] => {
  const { namespace } = rollout.metadata;
  const named = runNames(rollout).flatMap((name) => {
    const run = name === undefined ? undefined : view.get(analysisruns, { name, namespace });
    return run === undefined ? [] : [run];
  });
  return named.length > 0 ? named : runThatFailed(view, rollout);
};

/** All rollouts, by namespace and name. */
export const rolloutFacts = (view: View): readonly RolloutFact[] =>
  [...view.list(rollouts)]
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map((rollout) => ({ rollout, runs: runsOf(view, rollout) }));

const keyOf = ({ metadata }: Rollout): string => `${metadata.namespace ?? ''}.${metadata.name}`;

const barLength = 10;

/** `████░░░░░░ 40`. */
const bar = (part: number, full: number): string => {
  const filled = Math.round((part / Math.max(1, full)) * barLength);
  return `${'█'.repeat(filled)}${'░'.repeat(barLength - filled)} ${String(part)}`;
};

const isUpdating = ({ status }: Rollout): boolean =>
  status?.stableRS !== undefined && status.stableRS !== '' && status.stableRS !== status.currentPodHash;

/** Of the traffic where the proxy splits it, else of the pods, in percent. */
const shareOf = ({ spec, status }: Rollout): readonly [part: number, full: number] => {
  const canary = spec.strategy?.canary;
  const weight = status?.canary?.weights?.canary?.weight;
  if (canary !== undefined && weight !== undefined)
    return [isUpdating({ spec, status } as Rollout) ? weight : fullWeight(canary), fullWeight(canary)];
  const { updatedReplicas = 0, replicas = 0 } = status ?? {};
  return [replicas === 0 ? 0 : Math.round((updatedReplicas * 100) / replicas), 100];
};

const stepOf = ({ spec, status }: Rollout): string => {
  const steps = stepsOf(spec);
  if (steps.length === 0) return '—';
  const index = Math.min(status?.currentStepIndex ?? 0, steps.length);
  const step = steps[index];
  const kind = step === undefined ? undefined : kindOfStep(step);
  return `${String(index)}/${String(steps.length)}${kind === undefined ? '' : ` ${kind}`}`;
};

const cell = (text: string): string => text.replaceAll('\n', ' ').replaceAll('|', '\\|');

/** Lines of a Markdown table; none without rollouts. */
export const rolloutTable = (facts: readonly RolloutFact[]): readonly string[] =>
  facts.length === 0
    ? []
    : [
        '| Rollout | Phase | Step | Weight | Pods new/all | |',
        '|---|---|---|---|---|---|',
        ...facts.map(({ rollout }) => {
          const { metadata, status } = rollout;
          const pods = `${String(status?.updatedReplicas ?? 0)}/${String(status?.replicas ?? 0)}`;
          const why =
            status?.phase === 'Healthy'
              ? ''
              : [status?.message, status?.because]
                  .filter((text) => text !== undefined && text !== '')
                  .join('; ');
          return `| ${metadata.namespace ?? ''}/${metadata.name} | ${status?.phase ?? 'new'} | ${stepOf(rollout)} | ${bar(...shareOf(rollout))} | ${pods} | ${cell(why)} |`;
        }),
      ];

const measurementsOf = (run: AnalysisRun): object => ({
  name: run.metadata.name,
  phase: run.status?.phase,
  message: run.status?.message,
  metrics: (run.status?.metricResults ?? []).map(({ name, phase, measurements }) => ({
    name,
    phase,
    values: (measurements ?? []).map(({ phase: outcome, value, message, finishedAt }) => ({
      phase: outcome,
      value,
      message,
      at: finishedAt,
    })),
  })),
});

/** Path -> content: `status/rollouts/<namespace>.<name>.yaml`. */
export const rolloutFiles = (facts: readonly RolloutFact[]): readonly (readonly [string, string])[] =>
  facts.map(({ rollout, runs }) => {
    const { metadata, spec, status } = rollout;
    const [weight, full] = shareOf(rollout);
    const file = {
      namespace: metadata.namespace,
      name: metadata.name,
      phase: status?.phase,
      message: status?.message,
      because: status?.because,
      step: status?.currentStepIndex,
      steps: stepsOf(spec).length,
      weight: (weight * 100) / full,
      pods: {
        wanted: spec.replicas ?? 1,
        new: status?.updatedReplicas ?? 0,
        all: status?.replicas ?? 0,
        available: status?.availableReplicas ?? 0,
      },
      stable: status?.stableRS,
      current: status?.currentPodHash,
      analyses: runs.map(measurementsOf),
    };
    return [
      `status/rollouts/${keyOf(rollout)}.yaml`,
      stringify(JSON.parse(JSON.stringify(file)), { lineWidth: 0 }),
    ];
  });

const measured = (run: AnalysisRun): readonly string[] =>
  (run.status?.metricResults ?? [])
    .filter(({ phase, dryRun }) => dryRun !== true && phase !== 'Successful' && phase !== 'Running')
    .flatMap(({ name = '', measurements }) => [
      `Capstan-Metric: ${name}`,
      `Capstan-Measured: ${(measurements ?? [])
        .map(({ value, message, phase }) => value ?? message ?? phase ?? '')
        .join(', ')
        .replaceAll('\n', ' ')}`,
    ]);

/** Trailers of a commit that takes an application back: which rollouts of it were given up, where, and what was measured. */
export const rolloutTrailers = (view: View, application: string): readonly string[] =>
  rolloutFacts(view)
    .filter(
      ({ rollout }) =>
        rollout.status?.abort === true && isUpdating(rollout) && applicationOf(rollout) === application,
    )
    .flatMap(({ rollout, runs }) => {
      const steps = runs.flatMap((run) => {
        const index = run.metadata.labels?.['step-index'];
        return index === undefined
          ? []
          : [`Capstan-Step: ${String(Number(index) + 1)} of ${String(stepsOf(rollout.spec).length)}`];
      });
      return [
        `Capstan-Rollout: ${rollout.metadata.namespace ?? ''}/${rollout.metadata.name}`,
        ...steps,
        ...runs.flatMap(measured),
      ];
    });
