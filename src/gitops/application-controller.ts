// The controller of applications: looks at what is wanted and what is live, and decides the next step of one of them.
import { equal } from '../base/json.js';
import { toTimestamp } from '../base/clock.js';
import type { Informers } from '../client/informers.js';
import type { Index, View, ViewChange } from '../client/view.js';
import type { Controller, Decision, Key, Trigger } from '../reconcile/controller.js';
import type { Application, ApplicationResource, ApplicationStatus } from '../resources/generated/types.js';
import { breakGlassOf, heldUntil } from '../resources/break-glass.js';
import { resourceNameOf, storeKey, type Kind } from '../resources/kind.js';
import { applications } from '../resources/kinds/applications.js';
import { nameOf, type Resource } from '../resources/resource.js';
import type { ApplicationState } from './application-state.js';
import type { ClusterConfig } from './cluster-config.js';
import { nextStep, type Facts, type Step } from './decide.js';
import { healthOf } from './health/rules.js';
import { applicationOf, ownershipIndex } from './ownership.js';
import { isKept } from './plan.js';
import type { DesiredObject } from './render.js';

export type GitAction =
  | {
      readonly type: 'sync' | 'heal' | 'report-drift' | 'remove' | 'forget' | 'try-again';
      readonly application: string;
    }
  | { readonly type: 'roll-back'; readonly application: string; readonly reason: string }
  | { readonly type: 'status'; readonly application: string; readonly status: ApplicationStatus };

export interface Owned {
  readonly kind: Kind;
  readonly object: Resource;
  readonly id: string;
}

export interface ControllerOptions {
  /** All whose objects an application may hold: one for each resource, and the same list until others are served. */
  kinds(): readonly Kind[];
  readonly informers: Informers;
  readonly states: ReadonlyMap<string, ApplicationState>;
  /** Of the last revision that could be read. */
  config(): ClusterConfig;
  /** False until the repository was read once: nothing is decided before. */
  isReady(): boolean;
}

interface Observed {
  readonly facts: Facts;
  readonly state: ApplicationState;
  readonly resources: readonly ApplicationResource[];
  readonly live: Application | undefined;
}

const mostResources = 500;

const phaseRank = { Degraded: 0, Missing: 0, Progressing: 1, Healthy: 2 } as const;

/** Objects that a rule or a person may have an opinion about come first. */
const shortened = (resources: readonly ApplicationResource[]): readonly ApplicationResource[] =>
  [...resources].sort((a, b) => rank(a) - rank(b)).slice(0, mostResources);

const rank = ({ health }: ApplicationResource): number =>
  phaseRank[(health ?? 'Healthy') as keyof typeof phaseRank];

export class ApplicationController implements Controller<Observed, GitAction> {
  readonly name = 'applications';
  readonly watches: readonly Trigger[];
  readonly #options: ControllerOptions;
  /** By the name of the resource. */
  readonly #indexes = new Map<string, Index>();

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.watches = [
      { kind: applications, keys: (change) => this.#withDependents(change.object.metadata.name) },
    ];
  }

  /** What carries an application's label, of whatever kind. */
  readonly watchesAll = (change: ViewChange): readonly Key[] =>
    change.kind.group === applications.group && change.kind.plural === applications.plural
      ? []
      : keysOf(change);

  #index(kind: Kind): Index {
    const name = resourceNameOf(kind);
    const known = this.#indexes.get(name) ?? ownershipIndex(kind);
    this.#indexes.set(name, known);
    return known;
  }

  /** Who waits for an application looks again when it moves. */
  #withDependents(name: string): readonly Key[] {
    const dependents = [...this.#options.states.values()].filter(({ spec }) =>
      spec?.dependsOn.includes(name),
    );
    return [{ name }, ...dependents.map((state) => ({ name: state.name }))];
  }

  /** The object as it is now: what the view shows, or the answer to an own write that it does not show yet. */
  live(state: ApplicationState, desired: DesiredObject): Resource | undefined {
    const { kind, name } = desired.manifest;
    const { informers } = this.#options;
    const seen = informers.view.get(kind, { name, namespace: desired.namespace });
    const written = state.written.get(desired.id);
    if (written === undefined) return seen;
    if (informers.revision(kind) < Number(written.metadata.resourceVersion)) return written;
    state.written.delete(desired.id);
    return seen;
  }

  /** Live objects that carry the application's label; none when they are `expected` in number, which is quick to see. */
  strays(name: string, expected: number): readonly Owned[] {
    const { view } = this.#options.informers;
    const count = this.#options
      .kinds()
      .reduce((sum, kind) => sum + view.lookup(this.#index(kind), name).length, 0);
    return count === expected ? [] : this.owned(name);
  }

  /** Live objects that carry the application's label. */
  owned(name: string): readonly Owned[] {
    const { view } = this.#options.informers;
    return this.#options.kinds().flatMap((kind) =>
      view.lookup(this.#index(kind), name).map((object) => ({
        kind,
        object,
        id: storeKey(kind, object.metadata.name, nameOf(object).namespace),
      })),
    );
  }

  /** Another application that wants the object. */
  wantedElsewhere(application: string, id: string): string | undefined {
    for (const state of this.#options.states.values())
      if (state.name !== application && state.spec !== undefined && state.ids.has(id)) return state.name;
    return undefined;
  }

  /** Whether the manifests of any application hold the object. */
  isWanted(id: string): boolean {
    return [...this.#options.states.values()].some((state) => state.spec !== undefined && state.ids.has(id));
  }

  #gone(state: ApplicationState, owned: readonly Owned[]): number {
    const spec = state.spec ?? { prune: true };
    return owned.filter(
      ({ id, object }) =>
        (state.spec === undefined || !state.ids.has(id)) &&
        object.metadata.deletionTimestamp === undefined &&
        !isKept(object, spec) &&
        this.wantedElsewhere(state.name, id) === undefined,
    ).length;
  }

  #dependencies(state: ApplicationState, view: View): Facts['dependencies'] {
    return (state.spec?.dependsOn ?? []).map((name) => {
      const other = this.#options.states.get(name);
      const current = other?.target !== undefined && !other.isNew;
      const message = current
        ? `is ${view.get(applications, { name })?.status?.phase ?? 'new'}`
        : 'has not been carried out yet';
      // What counts is what runs of it: errors in its newest manifests are nobody else's.
      return { name, ready: current && other.isWell, message };
    });
  }

  observe(view: View, { name }: Key): Observed | undefined {
    const state = this.#options.states.get(name);
    if (state?.head === undefined || !this.#options.isReady()) return undefined;
    const resources: ApplicationResource[] = [];
    const degraded: string[] = [];
    const progressing: string[] = [];
    let failure: string | undefined;
    const held: { until: number; message: string }[] = [];
    let unsettled = 0;
    let labelled = 0;
    for (const desired of state.objects) {
      const { kind, name: objectName } = desired.manifest;
      const live = this.live(state, desired);
      const glass = live === undefined ? undefined : breakGlassOf(live);
      const until = heldUntil(live, state.spec?.breakGlassMs ?? 0);
      if (glass !== undefined && until !== undefined)
        held.push({
          until,
          message: `${kind.kind} ${objectName} was changed past Git by ${glass.user} (${glass.reason}), and is put back at ${toTimestamp(until)}`,
        });
      else if (!state.isSettled(desired, live)) unsettled += 1;
      if (live !== undefined && applicationOf(live) === name) labelled += 1;
      const health = healthOf(kind, live, view);
      const sentence = `${kind.kind} ${objectName} ${health.message}`;
      if (health.status === 'Degraded') degraded.push(sentence);
      if (health.status === 'Progressing' || health.status === 'Missing') progressing.push(sentence);
      if (health.failed === true) failure ??= sentence;
      resources.push({
        group: kind.group,
        kind: kind.kind,
        namespace: desired.namespace,
        name: objectName,
        health: health.status,
        ...(health.message === '' ? {} : { message: health.message }),
      });
    }
    state.isWell = degraded.length + progressing.length === 0;
    const facts: Facts = {
      name,
      spec: state.spec,
      head: state.head,
      target:
        state.target === undefined ? undefined : { revision: state.target.revision, isNew: state.isNew },
      unsettled,
      held,
      gone: this.#gone(state, state.spec === undefined ? this.owned(name) : this.strays(name, labelled)),
      drifted: state.drift.length,
      failed: state.failed,
      retryRefusedAt: state.refused?.retryAt,
      dependencies: this.#dependencies(state, view),
      health: { degraded, progressing, failure },
      rollback: this.#options.config().rollback.write,
      healthyRevision: state.healthyRevision,
      rolledBack: state.rolledBack,
    };
    return { facts, state, resources, live: view.get(applications, { name }) };
  }

  reconcile({ facts, state, resources, live }: Observed, now: number): Decision<GitAction> {
    const step = nextStep(facts, now);
    const application = facts.name;
    const decided = { because: `${step.phase}: ${step.message}`, wakeAt: step.wakeAt };
    if (step.next === 'roll-back')
      return { ...decided, actions: [{ type: 'roll-back', application, reason: step.message }] };
    if (step.next !== 'nothing') return { ...decided, actions: [{ type: step.next, application }] };
    const status = statusOf(step, { state, resources });
    const shown = state.status ?? live?.status;
    return {
      ...decided,
      actions: live !== undefined && equal(shown, status) ? [] : [{ type: 'status', application, status }],
    };
  }
}

const keysOf = ({ object, previous }: ViewChange): readonly Key[] => {
  const now = applicationOf(object);
  const before = previous === undefined ? undefined : applicationOf(previous);
  return [...new Set([now, before])].flatMap((name) => (name === undefined ? [] : [{ name }]));
};

const statusOf = (
  step: Step,
  {
    state,
    resources,
  }: { readonly state: ApplicationState; readonly resources: readonly ApplicationResource[] },
): ApplicationStatus => {
  const { syncedRevision, target, head } = state;
  const healthyRevision =
    step.phase === 'Healthy' && target !== undefined && !state.isNew
      ? target.revision
      : state.healthyRevision;
  const problems = head?.problems.length === 0 ? (state.failed?.problems ?? []) : (head?.problems ?? []);
  return {
    phase: step.phase,
    message: step.message,
    ...(syncedRevision === undefined ? {} : { revision: syncedRevision }),
    ...(head === undefined || head.revision === syncedRevision ? {} : { targetRevision: head.revision }),
    ...(state.syncedAt === undefined ? {} : { syncedAt: state.syncedAt }),
    ...(healthyRevision === undefined ? {} : { healthyRevision }),
    resourceCount: resources.length,
    resources: shortened(resources),
    drift: state.drift,
    errors: problems
      .slice(0, 100)
      .map(({ file, line, column, message }) => ({ file, line, column, message })),
    ...(state.rolledBack === undefined ? {} : { rolledBack: state.rolledBack }),
  };
};
