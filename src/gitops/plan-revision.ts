// The plan of any revision, the head's or a proposal's, against what is live now. Changes nothing.
import { lettingScale } from './autoscaled.js';
import type { Cluster } from '../client/cluster.js';
import type { View } from '../client/view.js';
import type { Resource } from '../resources/resource.js';
import type { ApplicationController } from './application-controller.js';
import type { ApplicationState } from './application-state.js';
import { observeAll } from './observe.js';
import { applicationOf } from './ownership.js';
import { planApplication, type ApplicationPlan } from './plan.js';
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

const planOf = async (
  application: RenderedApplication,
  revision: Revision,
  options: PlanRevisionOptions,
): Promise<ApplicationPlan> => {
  const { cluster, view, reader, controller, states, signal } = options;
  const { spec, objects, problems } = application;
  const { owners } = revision;
  const state = states.get(spec.name);
  const live = (desired: DesiredObject): Resource | undefined =>
    state === undefined
      ? view.get(desired.manifest.kind, { name: desired.manifest.name, namespace: desired.namespace })
      : controller.live(state, desired);
  const asked: DesiredObject[] = [];
  let labelled = 0;
  for (const desired of objects) {
    const now = live(desired);
    if (now !== undefined && applicationOf(now) === spec.name) labelled += 1;
    // Drift that is left alone is settled for the loop, but not for people who ask what differs.
    const settled =
      now !== undefined &&
      state?.isSettled(desired, now) === true &&
      state.settled.get(desired.id)?.drift === undefined;
    if (!settled && problems.length === 0) asked.push(desired);
  }
  const isWanted = (id: string): boolean => owners.has(id);
  const observations = await observeAll(asked, {
    cluster,
    view,
    reader,
    spec: lettingScale(spec, view),
    signal,
    live,
    isWanted,
  });
  return planApplication({
    spec,
    revision: revision.commit.oid,
    objects,
    problems,
    observed: (desired) => observations.get(desired.id) ?? { state: 'settled' },
    owned: controller.strays(spec.name, labelled),
    wantedElsewhere: (id) => {
      const owner = owners.get(id);
      return owner === spec.name ? undefined : owner;
    },
  });
};

const removed = (name: string, revision: Revision, options: PlanRevisionOptions): ApplicationPlan => {
  const plan = planApplication({
    spec: { name, dependsOn: [], prune: true },
    revision: revision.commit.oid,
    objects: [],
    problems: [],
    observed: () => ({ state: 'absent' }),
    owned: options.controller.owned(name),
    wantedElsewhere: (id) => revision.owners.get(id),
  });
  return { ...plan, because: `has left the repository: ${plan.because}` };
};

export const planRevision = async (revision: Revision, options: PlanRevisionOptions): Promise<Plan> => {
  const { commit, problems } = revision;
  if (problems.length > 0) return { revision: commit.oid, problems, applications: [] };
  const plans: ApplicationPlan[] = [];
  for (const application of revision.applications.values())
    plans.push(await planOf(application, revision, options));
  for (const name of options.states.keys())
    if (!revision.applications.has(name)) plans.push(removed(name, revision, options));
  return { revision: commit.oid, problems, applications: plans };
};
