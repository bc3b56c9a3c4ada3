// Rollout: reads what is there, asks the strategy for the next step, and carries that out as writes to the cluster.
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import {
  analysisRunsByController,
  experimentsByController,
  orphanReplicaSets,
  podsByController,
  replicaSetsByController,
} from '../../client/indexes.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Failure } from '../../reconcile/controller.js';
import { claim } from '../../reconcile/ownership.js';
import type { ReplicaSet, Rollout, RolloutStatus } from '../../resources/generated/types.js';
import { deployments } from '../../resources/kinds/deployments.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { rollouts } from '../../resources/kinds/rollouts.js';
import { controllerOf, isDeleting, nameOf } from '../../resources/resource.js';
import { foreignRouters } from '../../resources/rollouts/strategy-of.js';
import { earliest, isUpdating } from '../strategies/strategy.js';
import type { Observed, Progress, RolloutStep } from '../strategies/strategy.js';
import { strategyOf } from '../strategies/strategies.js';
import { aborted } from '../strategies/verdicts.js';
import { hashOf, revisionAnnotation, revisionOf, versionsOf } from '../versions.js';
import { deadlineOf } from './conditions.js';
import { copyActions, withCopies } from './config.js';
import { podMetadataActions, rolesOf } from './metadata.js';
import { observeRollout } from './observe.js';
import type { RolloutObserved } from './observe.js';
import { progressOf } from './progress.js';
import { restartOf } from './restart.js';
import { isFastRollback } from './rollback-window.js';
import { rolloutStatus } from './rollout-status.js';
import { runActions, runCleanup, runsOf } from './runs.js';
import type { RunState } from './runs.js';
import { serviceActions, serviceProblem } from './services.js';
import { cleanup, newSet, nextRevision, setName, setUpdates } from './sets.js';
import { stepHash, withAntiAffinity } from './template.js';
import type { Source } from './template.js';
import { rolloutTriggers } from './triggers.js';

interface Scene {
  readonly observed: RolloutObserved;
  readonly source: Source;
  readonly sets: readonly ReplicaSet[];
  readonly now: Instant;
  readonly failure: Failure | undefined;
}

const event = (
  rollout: Rollout,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): ClusterAction => ({
  type: 'event',
  event: { regarding: rollout, type, reason, message },
});

/** With what others decide: a missed deadline, another member of the release. */
const judgedByOthers = (progress: Progress, { observed, now }: Scene): Progress => {
  const { rollout, release } = observed;
  if (!isUpdating(progress) || progress.aborted) return progress;
  if (release.aborted !== undefined) return aborted(progress, release.aborted, now);
  const deadline = deadlineOf(rollout);
  return rollout.spec.progressDeadlineAbort === true && deadline !== undefined && deadline <= now
    ? aborted(progress, 'progressDeadlineSeconds exceeded without progress', now)
    : progress;
};

interface Decided {
  readonly step: RolloutStep;
  readonly state: RunState;
  readonly isNew: boolean;
}

const decide = (scene: Scene): Decided => {
  const { observed, sets, now } = scene;
  const { rollout, current, analysisRuns, experiments } = observed;
  const hasStable = sets.some((set) => hashOf(set) === rollout.status?.stableRS);
  const beginning = progressOf(rollout, { current, stepHash: stepHash(rollout), hasStable }, now);
  const progress = judgedByOthers(beginning.progress, scene);
  const versions = versionsOf(sets, current, progress.stable);
  const state: RunState = { rollout, progress, isNew: beginning.isNew, analysisRuns, experiments };
  const seen: Observed = {
    spec: rollout.spec,
    replicas: rollout.spec.replicas ?? 1,
    versions,
    progress,
    runs: runsOf(state),
    isFastRollback: isFastRollback(rollout.spec, versions),
    isHeld: rollout.spec.paused === true || (rollout.status?.held === true && !beginning.isNew),
    peers: observed.release.peers,
  };
  return { step: strategyOf(rollout.spec).next(seen, now), state, isNew: beginning.isNew };
};

interface Made {
  readonly actions: readonly ClusterAction[];
  readonly created: boolean;
  readonly collides: boolean;
}

const making = ({ observed, source, sets }: Scene, stable: string, revision: number): Made => {
  const { rollout, current, namesake, config } = observed;
  if (sets.some((set) => hashOf(set) === current)) return { actions: [], created: false, collides: false };
  if (namesake !== undefined && controllerOf(namesake)?.uid !== rollout.metadata.uid)
    return { actions: [], created: false, collides: true };
  const { canary, blueGreen } = rollout.spec.strategy ?? {};
  const template = withCopies(
    withAntiAffinity(source.template, canary?.antiAffinity ?? blueGreen?.antiAffinity, stable),
    config,
    current,
  );
  return {
    actions: [
      newSet(rollout, { hash: current, revision, selector: source.selector, template }),
      event(
        rollout,
        'Normal',
        'NewReplicaSetCreated',
        `Created ReplicaSet ${setName(rollout, current)} (revision ${String(revision)})`,
      ),
    ],
    created: true,
    collides: false,
  };
};

/** Pods of the version find their config before they are wanted. */
const copies = ({ observed, sets }: Scene): readonly ClusterAction[] => {
  const { current, config, isThere } = observed;
  const set = sets.find((one) => hashOf(one) === current);
  return set === undefined ? [] : copyActions(set, config, { hash: current, isThere });
};

/** The workload whose template is used makes room for the rollout's pods, where the rollout says so. */
const workloadScale = ({ observed }: Scene, status: RolloutStatus): readonly ClusterAction[] => {
  const { rollout, deployment } = observed;
  const how = rollout.spec.workloadRef?.scaleDown ?? 'never';
  if (deployment === undefined || how === 'never') return [];
  const present = deployment.spec.replicas ?? 1;
  const left = Math.max(0, (rollout.spec.replicas ?? 1) - (status.availableReplicas ?? 0));
  const wanted = how === 'onsuccess' ? (status.phase === 'Healthy' ? 0 : present) : Math.min(present, left);
  if (wanted >= present) return [];
  return [
    {
      type: 'patch',
      kind: deployments,
      name: nameOf(deployment),
      patch: { type: 'merge', patch: { spec: { replicas: wanted } } },
      subresource: 'scale',
    },
  ];
};

const revisionPatch = (rollout: Rollout, revision: number): readonly ClusterAction[] =>
  revisionOf(rollout) === revision
    ? []
    : [
        {
          type: 'patch',
          kind: rollouts,
          name: nameOf(rollout),
          patch: {
            type: 'merge',
            patch: { metadata: { annotations: { [revisionAnnotation]: String(revision) } } },
          },
        },
      ];

/** What happened, told once: when the status that shows it is written. */
const tidings = (rollout: Rollout, next: RolloutStatus | undefined): readonly ClusterAction[] => {
  if (next === undefined) return [];
  const old = rollout.status ?? {};
  const told: ClusterAction[] = [];
  if ((next.abort === true && old.abort !== true) || (next.abort === true && old.abortedAt === undefined))
    told.push(event(rollout, 'Warning', 'RolloutAborted', next.message ?? ''));
  if (next.stableRS !== old.stableRS && next.stableRS !== '')
    told.push(
      event(rollout, 'Normal', 'RolloutCompleted', `Rollout completed update: ${next.because ?? ''}`),
    );
  else if ((next.currentStepIndex ?? 0) > (old.currentStepIndex ?? 0))
    told.push(event(rollout, 'Normal', 'RolloutStepCompleted', next.because ?? ''));
  if ((next.pauseConditions ?? []).length > 0 && (old.pauseConditions ?? []).length === 0)
    told.push(event(rollout, 'Normal', 'RolloutPaused', `Rollout is paused (${next.message ?? ''})`));
  const foreign = foreignRouters(rollout.spec.strategy?.canary ?? {});
  if (foreign.length > 0 && old.observedGeneration !== next.observedGeneration)
    told.push(
      event(
        rollout,
        'Warning',
        'TrafficRouterReplaced',
        `${foreign.join(', ')} does not run here: the service proxy of the cluster splits the traffic by the same weights`,
      ),
    );
  return told;
};

const carriedOut = (scene: Scene): Decision<ClusterAction> => {
  const { observed, source, sets, now, failure } = scene;
  const { rollout, current, pods, services } = observed;
  const { step, state, isNew } = decide(scene);
  const present = sets.find((set) => hashOf(set) === current);
  const others = sets.filter((set) => set !== present);
  const revision = Math.max(present === undefined ? 0 : revisionOf(present), nextRevision(others));
  const made = making(scene, step.progress.stable, revision);
  const runs = runActions({ ...state, progress: step.progress }, present === undefined ? [] : step.runs, {
    find: observed.findTemplate,
    revision,
    sets,
  });
  const restart = restartOf(rollout, [...pods.values()].flat(), now);
  const invalid = serviceProblem(rollout, services) ?? runs.problem;
  const status = rolloutStatus({
    rollout,
    workload: observed.workload,
    source,
    sets,
    step,
    runs: runsOf({ ...state, progress: step.progress }),
    names: runs.names,
    isNew,
    set: present?.metadata.name ?? (made.created ? setName(rollout, current) : undefined),
    created: made.created && failure === undefined,
    revision,
    collisionCount: (rollout.status?.collisionCount ?? 0) + (made.collides ? 1 : 0) || undefined,
    restartedAt: restart.restartedAt,
    invalid,
    failure: present === undefined ? failure?.message : undefined,
    now,
  });
  const roles = rolesOf(rollout.spec.strategy, step.progress);
  const told: readonly ClusterAction[] =
    status === undefined
      ? []
      : [
          { type: 'updateStatus', kind: rollouts, object: { ...rollout, status } as Rollout },
          ...tidings(rollout, status),
        ];
  // Traffic moves before pods go; what cannot move it (a service that is not there) leaves the pods as they are.
  const changes = [
    ...made.actions,
    ...copies(scene),
    ...serviceActions(rollout, services, step),
    ...(serviceProblem(rollout, services) === undefined || step.progress.stable === ''
      ? setUpdates({ rollout, sets, current, step, roles })
      : []),
    ...sets.flatMap((set) =>
      podMetadataActions(set, pods.get(set.metadata.uid) ?? [], roles.get(hashOf(set))),
    ),
    ...runs.actions,
  ];
  return {
    actions: [
      ...(failure === undefined ? [...changes, ...told] : [...told, ...changes]),
      ...revisionPatch(rollout, revision),
      ...restart.actions,
      ...workloadScale(scene, status ?? rollout.status ?? {}),
      ...(isUpdating(step.progress) ? [] : cleanup(rollout, others)),
      ...runCleanup(state, new Set(Object.values(runs.names))),
    ],
    because: invalid ?? restart.because ?? step.because,
    wakeAt: earliest(step.wakeAt, restart.wakeAt, deadlineWake(rollout, now)),
  };
};

/** A second past the deadline: timestamps have whole seconds. */
const deadlineWake = (rollout: Rollout, now: Instant): Instant | undefined => {
  const deadline = deadlineOf(rollout);
  return deadline === undefined ? undefined : Math.max(deadline + 1000, now + 1000);
};

/** Nothing to run: the workload that holds the template is not there. */
const withoutSource = (rollout: Rollout): Decision<ClusterAction> => {
  const { kind = '', name = '' } = rollout.spec.workloadRef ?? {};
  const message = `${kind} "${name}" that holds the template is not there`;
  const next: RolloutStatus = {
    ...rollout.status,
    observedGeneration: String(rollout.metadata.generation ?? 0),
    phase: 'Degraded',
    message,
  };
  return {
    actions: equal(next, rollout.status)
      ? []
      : [{ type: 'updateStatus', kind: rollouts, object: { ...rollout, status: next } as Rollout }],
    because: message,
  };
};

export const reconcileRollout = (
  observed: RolloutObserved,
  now: Instant,
  failure?: Failure,
): Decision<ClusterAction> => {
  const { rollout, source, controlled, orphans } = observed;
  if (isDeleting(rollout)) return { actions: [], because: 'it is being deleted' };
  if (source === undefined) return withoutSource(rollout);
  const { owned, actions: claims } = claim({
    kind: replicasets,
    owner: rollout,
    selector: source.selector,
    controlled,
    orphans,
  });
  const sets = owned.filter((set) => !isDeleting(set));
  const { actions, because, wakeAt } = carriedOut({ observed, source, sets, now, failure });
  return { actions: [...claims, ...actions], because, wakeAt };
};

export const rolloutController: Controller<RolloutObserved, ClusterAction> = {
  name: 'rollout',
  watches: rolloutTriggers,
  indexes: [
    replicaSetsByController,
    orphanReplicaSets,
    podsByController,
    analysisRunsByController,
    experimentsByController,
  ],
  observe: observeRollout,
  reconcile: reconcileRollout,
};
