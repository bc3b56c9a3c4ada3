// The plan of any revision, the head's or a proposal's, against what is live now. Changes nothing.
import type { Cluster } from '../client/cluster.js';
import type { View } from '../client/view.js';
import type { ApplicationController } from './application-controller.js';
import type { ApplicationState } from './application-state.js';
import { observeAll } from './observe.js';
import { planApplication, type ApplicationPlan, type Observation } from './plan.js';
import type { Plan } from './plan-text.js';
import type { DesiredObject, RenderedApplication } from './render.js';
import type { Revision } from './revision.js';
import type { ObjectReader } from './source.js';

export interface PlanRevisionOptions {
  readonly cluster: Cluster;
  readonly view: View;
  readonly reader: ObjectReader;
  readonly controller: ApplicationController;
  readonly states: ReadonlyMap<string, ApplicationState>;
  readonly signal: AbortSignal;
}

const ownersIn = (revision: Revision): ReadonlyMap<string, string> =>
  new Map(
    [...revision.applications.values()].flatMap(({ spec, objects }) =>
      objects.map((desired): [string, string] => [desired.id, spec.name]),
    ),
  );

const planOf = async (
  application: RenderedApplication,
  revision: Revision,
  owners: ReadonlyMap<string, string>,
  options: PlanRevisionOptions,
): Promise<ApplicationPlan> => {
  const { cluster, view, reader, controller, states, signal } = options;
  const { spec, objects, problems } = application;
  const state = states.get(spec.name);
  const live = (desired: DesiredObject): ReturnType<ApplicationController['live']> =>
    state === undefined
      ? view.get(desired.manifest.kind, { name: desired.manifest.name, namespace: desired.namespace })
      : controller.live(state, desired);
  const isSettled = (desired: DesiredObject): boolean => {
    const now = live(desired);
    return state !== undefined && now !== undefined && state.isSettled(desired, now);
  };
  const asked = problems.length > 0 ? [] : objects.filter((desired) => !isSettled(desired));
  const observations = await observeAll(asked, {
    cluster,
    view,
    reader,
    spec,
    signal,
    live,
    isSettled: () => false,
    isWanted: (id) => owners.has(id),
  });
  return planApplication({
    spec,
    revision: revision.commit.oid,
    objects,
    problems,
    observed: (desired): Observation => {
      const now = live(desired);
      return (
        observations.get(desired.id) ??
        (now === undefined ? { state: 'absent' } : { state: 'settled', live: now })
      );
    },
    owned: controller.owned(spec.name),
    wantedElsewhere: (id) => {
      const owner = owners.get(id);
      return owner === spec.name ? undefined : owner;
    },
  });
};

const removed = (
  name: string,
  revision: Revision,
  owners: ReadonlyMap<string, string>,
  options: PlanRevisionOptions,
): ApplicationPlan => {
  const plan = planApplication({
    spec: { name, dependsOn: [], prune: true },
    revision: revision.commit.oid,
    objects: [],
    problems: [],
    observed: () => ({ state: 'absent' }),
    owned: options.controller.owned(name),
    wantedElsewhere: (id) => owners.get(id),
  });
  return { ...plan, because: `has left the repository: ${plan.because}` };
};

export const planRevision = async (revision: Revision, options: PlanRevisionOptions): Promise<Plan> => {
  const { commit, problems } = revision;
  if (problems.length > 0) return { revision: commit.oid, problems, applications: [] };
  const owners = ownersIn(revision);
  const plans: ApplicationPlan[] = [];
  for (const application of revision.applications.values())
    plans.push(await planOf(application, revision, owners, options));
  for (const name of options.states.keys())
    if (!revision.applications.has(name)) plans.push(removed(name, revision, owners, options));
  return { revision: commit.oid, problems, applications: plans };
};
