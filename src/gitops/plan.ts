// What a revision would change in the cluster, as data. Pure: what was observed comes in, ordered changes come out.
import type { ClusterError } from '../base/errors.js';
import type { Kind } from '../resources/kind.js';
import { displayName, nameOf, type ObjectName, type Resource } from '../resources/resource.js';
import type { ApplicationSpec } from './cluster-config.js';
import { differences, type FieldDifference } from './difference.js';
import { rankOf } from './kind-order.js';
import { APPLICATION_LABEL, PRUNE_ANNOTATION } from './ownership.js';
import type { Problem } from './problem.js';
import type { DesiredObject } from './render.js';

/** What the cluster says of one wanted object. */
export type Observation =
  /** It is this application's, and nothing would change: no need to ask. */
  | { readonly state: 'settled' }
  | { readonly state: 'absent' }
  /** `result` is the object as it would be after applying. */
  | { readonly state: 'present'; readonly live: Resource; readonly result: Resource }
  | {
      readonly state: 'refused';
      readonly live: Resource | undefined;
      readonly error: ClusterError;
      readonly problems: readonly Problem[];
    };

interface Target {
  readonly kind: Kind;
  readonly name: ObjectName;
}

export interface Create extends Target {
  readonly action: 'create';
  readonly desired: DesiredObject;
}

export interface Update extends Target {
  readonly action: 'update';
  readonly desired: DesiredObject;
  readonly live: Resource;
  readonly fields: readonly FieldDifference[];
  /** Pods that a new template replaces. */
  readonly rolls: number;
  /** Why an object that somebody else made, or another application kept, becomes this application's. */
  readonly note: string | undefined;
}

export interface Delete extends Target {
  readonly action: 'delete';
  readonly live: Resource;
}

export type Change = Create | Update | Delete;

export interface ApplicationPlan {
  readonly application: string;
  readonly revision: string;
  /** In the order in which they are carried out. */
  readonly changes: readonly Change[];
  readonly unchanged: number;
  /** Objects that left the repository and are kept. */
  readonly kept: readonly Target[];
  /** Why nothing of it can be carried out. */
  readonly problems: readonly Problem[];
  /** Applications that are to be healthy first. */
  readonly after: readonly string[];
  readonly because: string;
}

export interface PlanInput {
  readonly spec: Pick<ApplicationSpec, 'name' | 'dependsOn' | 'prune'>;
  readonly revision: string;
  readonly objects: readonly DesiredObject[];
  readonly problems: readonly Problem[];
  observed(desired: DesiredObject): Observation;
  /** Live objects that carry the application's label; may leave out those that are wanted. */
  readonly owned: readonly { readonly kind: Kind; readonly object: Resource; readonly id: string }[];
  /** Another application whose manifests hold the object too. */
  wantedElsewhere(id: string): string | undefined;
}

const conflict = (desired: DesiredObject, owner: string): Problem => ({
  file: desired.file,
  ...desired.manifest.position,
  message: `${desired.manifest.kind.kind} ${desired.manifest.name} is owned by application ${owner}: remove it there first, or here`,
});

const noteOf = (live: Resource, application: string): string | undefined => {
  const owner = live.metadata.labels?.[APPLICATION_LABEL];
  if (owner === application) return undefined;
  return owner === undefined ? 'exists already and is taken over' : `is taken over from application ${owner}`;
};

const rolledPods = (fields: readonly FieldDifference[], result: Resource): number => {
  const { spec } = result as unknown as {
    readonly spec?: { readonly replicas?: number; readonly template?: unknown };
  };
  if (spec?.template === undefined) return 0;
  return fields.some(({ field }) => field.startsWith('spec.template')) ? (spec.replicas ?? 1) : 0;
};

type Verdict = { readonly change?: Change | undefined; readonly problems: readonly Problem[] };

const nothing: Verdict = { problems: [] };

const judge = (desired: DesiredObject, input: PlanInput): Verdict => {
  const observation = input.observed(desired);
  if (observation.state === 'settled') return nothing;
  const { kind } = desired.manifest;
  const target = { kind, name: { name: desired.manifest.name, namespace: desired.namespace } };
  if (observation.state === 'refused') return { problems: observation.problems };
  if (observation.state === 'absent')
    return { change: { action: 'create', ...target, desired }, problems: [] };
  const { live } = observation;
  const owner = live.metadata.labels?.[APPLICATION_LABEL];
  const { name } = input.spec;
  if (owner !== undefined && owner !== name && input.wantedElsewhere(desired.id) === owner)
    return { problems: [conflict(desired, owner)] };
  const fields = differences(live, observation.result);
  if (fields.length === 0) return { problems: [] };
  const note = noteOf(live, name);
  const shown = fields.filter(
    ({ field }) =>
      !field.startsWith(`metadata.labels.${APPLICATION_LABEL}`) &&
      !(note !== undefined && field === 'metadata.labels'),
  );
  return {
    change: {
      action: 'update',
      ...target,
      desired,
      live,
      fields: shown,
      rolls: rolledPods(fields, observation.result),
      note,
    },
    problems: [],
  };
};

const counted = (changes: readonly Change[]): string => {
  const parts = (
    [
      ['create', 'to create'],
      ['update', 'to update'],
      ['delete', 'to delete'],
    ] as const
  )
    .map(([action, text]) => ({ count: changes.filter((change) => change.action === action).length, text }))
    .filter(({ count }) => count > 0)
    .map(({ count, text }) => `${String(count)} ${text}`);
  return parts.join(', ');
};

const reason = (changes: readonly Change[], problems: readonly Problem[], unchanged: number): string => {
  if (problems.length > 0)
    return `${String(problems.length)} ${problems.length === 1 ? 'error' : 'errors'} in its manifests: nothing of it is carried out`;
  if (changes.length === 0)
    return `nothing to do: ${String(unchanged)} ${unchanged === 1 ? 'object is' : 'objects are'} as the repository says`;
  return counted(changes);
};

/** An object that has left the repository and is not deleted. */
export const isKept = (object: Resource, { prune }: Pick<ApplicationSpec, 'prune'>): boolean =>
  !prune || object.metadata.annotations?.[PRUNE_ANNOTATION] === 'false';

const byOrder = (a: Target, b: Target): number =>
  rankOf(a.kind) - rankOf(b.kind) || (displayName(a.name) < displayName(b.name) ? -1 : 1);

export const planApplication = (input: PlanInput): ApplicationPlan => {
  const { spec, revision, objects, owned } = input;
  const verdicts = input.problems.length > 0 ? [] : objects.map((desired) => judge(desired, input));
  const problems = [...input.problems, ...verdicts.flatMap((verdict) => verdict.problems)];
  const writes = verdicts.flatMap(({ change }) => change ?? []);
  const wanted = new Set(owned.length === 0 ? [] : objects.map(({ id }) => id));
  const gone = owned.filter(
    ({ id, object }) =>
      !wanted.has(id) &&
      input.wantedElsewhere(id) === undefined &&
      object.metadata.deletionTimestamp === undefined,
  );
  const keeps = (object: Resource): boolean => isKept(object, spec);
  const target = ({ kind, object }: (typeof owned)[number]): Target => ({ kind, name: nameOf(object) });
  const deletes = gone
    .filter(({ object }) => !keeps(object))
    .map((found): Delete => ({ action: 'delete', ...target(found), live: found.object }));
  const changes =
    problems.length > 0 ? [] : [...writes.sort(byOrder), ...deletes.sort((a, b) => byOrder(b, a))];
  const unchanged = objects.length - writes.length;
  return {
    application: spec.name,
    revision,
    changes,
    unchanged,
    kept: gone.filter(({ object }) => keeps(object)).map(target),
    problems,
    after: spec.dependsOn,
    because: reason(changes, problems, unchanged),
  };
};
