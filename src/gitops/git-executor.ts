// Carries out what the controller of applications decided.
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';
import { ClusterError, hasCode, messageOf } from '../base/errors.js';
import { equal } from '../base/json.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { View } from '../client/view.js';
import type { EventDraft, EventRecorder } from '../reconcile/cluster-action.js';
import type { Executor } from '../reconcile/controller.js';
import type { Application, ApplicationStatus } from '../resources/generated/types.js';
import { heldUntil } from '../resources/break-glass.js';
import { applications } from '../resources/kinds/applications.js';
import { displayName, type ObjectName } from '../resources/resource.js';
import type { ApplicationController, GitAction } from './application-controller.js';
import type { ApplicationState } from './application-state.js';
import type { ApplicationSpec } from './cluster-config.js';
import type { Journal } from './journal.js';
import { observeAll, problemsOfError } from './observe.js';
import { FIELD_MANAGER } from './ownership.js';
import { planApplication, type ApplicationPlan } from './plan.js';
import { lettingScale } from './autoscaled.js';
import { problemText, type Problem } from './problem.js';
import type { RollBack } from './roll-back.js';
import type { ObjectReader } from './source.js';
import { executePlan, failureText, type SyncFailure } from './sync.js';

export interface GitExecutorOptions {
  readonly cluster: Cluster;
  readonly view: View;
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly journal: Journal;
  readonly states: Map<string, ApplicationState>;
  readonly controller: ApplicationController;
  readonly rollBack: RollBack;
  /** Asks the controller to look at the application again. */
  nudge(application: string): void;
}

const firstRetryMs = 500;
const lastRetryMs = 30_000;
/** What the API server refused is refused again until somebody changes something: asked again only in case. */
const refusedRetryMs = 60_000;

const short = (revision: string): string => revision.slice(0, 8);

const specOf = (spec: ApplicationSpec): Application['spec'] => ({
  path: spec.path === '' ? '.' : spec.path,
  ...(spec.namespace === undefined ? {} : { namespace: spec.namespace }),
  dependsOn: spec.dependsOn,
  prune: spec.prune,
  selfHeal: spec.selfHeal,
  onFailure: spec.onFailure,
});

export class GitExecutor implements Executor<GitAction> {
  readonly #options: GitExecutorOptions;

  constructor(options: GitExecutorOptions) {
    this.#options = options;
  }

  async execute(action: GitAction, signal: AbortSignal): Promise<void> {
    const state = this.#options.states.get(action.application);
    if (state === undefined) return;
    switch (action.type) {
      case 'sync':
      case 'heal':
      case 'report-drift':
        await this.#bring(state, action.type, signal);
        break;
      case 'try-again':
        state.tryAgain();
        break;
      case 'remove':
        await this.#remove(state, signal);
        break;
      case 'forget':
        await this.#forget(state);
        break;
      case 'roll-back':
        await this.#options.rollBack(state, action.reason, signal);
        break;
      case 'status':
        await this.#writeStatus(state, action.status);
        break;
    }
    if (action.type !== 'status') this.#options.nudge(state.name);
  }

  /** What carrying the target out would change. Throws what may pass by itself. */
  async plan(state: ApplicationState, signal: AbortSignal): Promise<ApplicationPlan> {
    const { controller, cluster, view, reader } = this.#options;
    const { spec, target } = state;
    if (spec === undefined || target === undefined)
      throw new ClusterError('NotFound', `nothing is known of application ${state.name}`);
    const { objects } = target.rendered;
    const now = this.#options.clock.now();
    const asked = objects.filter((desired) => {
      const live = controller.live(state, desired);
      const until = heldUntil(live, spec.breakGlassMs);
      // Somebody broke the glass: it is left alone, or else put back whatever is known of it.
      if (until !== undefined && !state.isNew) return until <= now;
      // Drift that is left alone is part of what a new revision puts right.
      const drifted = state.settled.get(desired.id)?.drift !== undefined;
      return !state.isSettled(desired, live) || (state.isNew && drifted);
    });
    const observations = await observeAll(asked, {
      cluster,
      view,
      reader,
      spec: lettingScale(spec, view),
      signal,
      live: (desired) => controller.live(state, desired),
      isWanted: (id) => controller.isWanted(id),
    });
    return planApplication({
      spec,
      revision: target.revision,
      objects,
      problems: [],
      observed: (desired) => observations.get(desired.id) ?? { state: 'settled' },
      owned: controller.owned(state.name),
      wantedElsewhere: (id) => controller.wantedElsewhere(state.name, id),
    });
  }

  async #bring(
    state: ApplicationState,
    type: 'sync' | 'heal' | 'report-drift',
    outer: AbortSignal,
  ): Promise<void> {
    const { target } = state;
    if (target === undefined) return;
    const supersede = new AbortController();
    state.supersede = supersede;
    const signal = AbortSignal.any([outer, supersede.signal]);
    try {
      await this.#ensure(state);
      const plan = await this.plan(state, signal);
      this.#settleUnchanged(state, plan);
      if (plan.problems.length > 0) this.#fail(state, plan.problems, { refused: true });
      else if (type === 'report-drift') this.#reportDrift(state, plan);
      else await this.#carryOut(state, plan, signal);
    } catch (error) {
      outer.throwIfAborted();
      // A newer revision has come: the next turn is about that one.
      if (isAbort(error, supersede.signal)) return;
      const problem: Problem = {
        file: target.rendered.spec.path,
        line: 1,
        column: 1,
        message: messageOf(error),
      };
      this.#fail(state, [problem], { refused: false });
    } finally {
      if (state.supersede === supersede) state.supersede = undefined;
    }
  }

  #delay({ failed }: ApplicationState): number {
    return Math.min(lastRetryMs, firstRetryMs * 2 ** (failed?.attempts ?? 0));
  }

  /** Everything that the dry run found to be as wanted need not be asked about again. */
  #settleUnchanged(state: ApplicationState, plan: ApplicationPlan): void {
    const changed = new Set(
      plan.changes.flatMap((change) => (change.action === 'delete' ? [] : [change.desired])),
    );
    if (plan.problems.length > 0) return;
    for (const desired of state.objects) {
      if (changed.has(desired)) continue;
      const live = this.#options.controller.live(state, desired);
      if (live !== undefined) state.settle(desired, live);
    }
  }

  #reportDrift(state: ApplicationState, plan: ApplicationPlan): void {
    for (const change of plan.changes) {
      if (change.action === 'delete') continue;
      const { kind, name, desired } = change;
      const fields = change.action === 'update' ? change.fields.map(({ field }) => field) : [];
      const message = change.action === 'create' ? 'does not exist' : `differs in ${fields.join(', ')}`;
      const live = this.#options.controller.live(state, desired);
      state.settle(desired, live, { group: kind.group, kind: kind.kind, ...name, fields, message });
      this.#tell(
        state,
        'Warning',
        'Drift',
        `${kind.kind} ${displayName(name)} ${message}; selfHeal is off, so it stays`,
      );
    }
  }

  async #carryOut(state: ApplicationState, plan: ApplicationPlan, signal: AbortSignal): Promise<void> {
    const { cluster, clock, journal, log } = this.#options;
    const { target, spec } = state;
    if (target === undefined || spec === undefined) return;
    const wasNew = state.isNew;
    const failures = await executePlan(plan.changes, {
      cluster,
      spec: lettingScale(spec, this.#options.view),
      signal,
      applied: (desired, result) => {
        state.settle(desired, result);
        state.written.set(desired.id, result);
      },
    });
    if (failures.length > 0) {
      await this.#failedToApply(state, failures, signal);
      return;
    }
    state.carriedOut(target);
    if (plan.changes.length > 0 || wasNew) state.syncedAt = toTimestamp(clock.now());
    if (plan.changes.length === 0) return;
    const outcome = wasNew ? 'Synced' : 'Healed';
    const what = plan.changes.map(({ action, kind, name }) => `${action} ${kind.kind} ${displayName(name)}`);
    const message = `${plan.because}: ${what.slice(0, 5).join(', ')}${what.length > 5 ? ', …' : ''}`;
    log.info({ application: state.name, revision: target.revision, changes: plan.changes.length }, message);
    journal.record({ application: state.name, revision: target.revision, outcome, message });
    this.#tell(state, 'Normal', wasNew ? 'Synced' : 'DriftHealed', `${short(target.revision)}: ${message}`);
  }

  async #failedToApply(
    state: ApplicationState,
    failures: readonly SyncFailure[],
    signal: AbortSignal,
  ): Promise<void> {
    const { reader } = this.#options;
    const problems: Problem[] = [];
    for (const failure of failures) {
      const { change, error } = failure;
      if (change.action === 'delete')
        problems.push({ file: state.spec?.path ?? '', line: 1, column: 1, message: failureText(failure) });
      else if (error instanceof ClusterError && error.fields.length > 0)
        problems.push(...(await problemsOfError(change.desired, error, reader, signal)));
      else
        problems.push({
          file: change.desired.file,
          ...change.desired.manifest.position,
          message: failureText(failure),
        });
    }
    const refused = failures.every(({ error }) => hasCode(error, 'Invalid', 'BadRequest', 'Forbidden'));
    this.#fail(state, problems, { refused });
  }

  #fail(
    state: ApplicationState,
    problems: readonly Problem[],
    { refused }: { readonly refused: boolean },
  ): void {
    const { clock, journal, log } = this.#options;
    const revision = state.target?.revision ?? '';
    const again = state.failed?.revision === revision || state.refusedOnce === revision;
    const attempts = (state.failed?.revision === revision ? state.failed.attempts : 0) + 1;
    const retryAt = clock.now() + (refused ? refusedRetryMs : this.#delay(state));
    if (!refused || !state.refuse(problems, retryAt))
      state.failed = { revision, problems, attempts, retryAt };
    if (refused) state.refusedOnce = revision;
    const message = problems.map(problemText).slice(0, 3).join('; ');
    log.warn({ application: state.name, revision, attempts }, `not carried out: ${message}`);
    if (again) return;
    journal.record({ application: state.name, revision, outcome: 'Failed', message });
    this.#tell(state, 'Warning', 'SyncFailed', message);
  }

  async #remove(state: ApplicationState, signal: AbortSignal): Promise<void> {
    const { controller, journal } = this.#options;
    const plan = planApplication({
      spec: { name: state.name, dependsOn: [], prune: true },
      revision: state.head?.revision ?? '',
      objects: [],
      problems: [],
      observed: () => ({ state: 'absent' }),
      owned: controller.owned(state.name),
      wantedElsewhere: (id) => controller.wantedElsewhere(state.name, id),
    });
    const failures = await executePlan(plan.changes, {
      cluster: this.#options.cluster,
      spec: { name: state.name, ignoreDifferences: [] },
      applied: () => undefined,
      signal,
    });
    const [failure] = failures;
    if (failure !== undefined) throw new ClusterError('ServiceUnavailable', failureText(failure));
    journal.record({
      application: state.name,
      revision: state.head?.revision ?? '',
      outcome: 'Synced',
      message: `the application has left the repository: ${plan.because}`,
    });
  }

  async #forget(state: ApplicationState): Promise<void> {
    const { cluster, states } = this.#options;
    states.delete(state.name);
    try {
      await cluster.delete(applications, { name: state.name });
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
    }
  }

  /** The Application object, made or brought to what capstan.yaml says. */
  async #ensure(state: ApplicationState): Promise<Application | undefined> {
    const { cluster, view } = this.#options;
    if (state.spec === undefined) return undefined;
    const name: ObjectName = { name: state.name };
    const spec = specOf(state.spec);
    const seen = view.get(applications, name);
    if (seen !== undefined && equal(seen.spec, spec)) return seen;
    return cluster.apply(
      applications,
      { apiVersion: 'capstan.dev/v1', kind: 'Application', metadata: { name: state.name }, spec },
      { fieldManager: FIELD_MANAGER, force: true },
    );
  }

  async #writeStatus(state: ApplicationState, status: ApplicationStatus): Promise<void> {
    const { cluster } = this.#options;
    if ((await this.#ensure(state)) === undefined) return;
    const before = state.status?.phase;
    const current = await cluster.get(applications, { name: state.name });
    await cluster.updateStatus(applications, { ...current, status }, { fieldManager: FIELD_MANAGER });
    state.status = status;
    state.healthyRevision = status.healthyRevision;
    if (before === status.phase) return;
    const bad = status.phase === 'Failed' || status.phase === 'Degraded';
    this.#tell(state, bad ? 'Warning' : 'Normal', status.phase ?? '', status.message ?? '');
  }

  #tell(state: ApplicationState, type: EventDraft['type'], reason: string, message: string): void {
    const regarding = this.#options.view.get(applications, { name: state.name });
    if (regarding !== undefined)
      this.#options.events.record({ regarding, type, reason, message: message.slice(0, 1_000) });
  }
}
