// What a CustomResourceDefinition's status says: whether its names are free, and so whether it is served.
// Follows apiextensions-apiserver `pkg/controller/status/naming_controller.go` and `pkg/controller/establish`.
import type { Instant } from '../../base/clock.js';
import { toTimestamp } from '../../base/clock.js';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition as Condition,
  CustomResourceDefinitionNames as Names,
} from '../generated/types.js';
import type { Kind } from '../kind.js';

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** Names of a group that others have already. */
interface Taken {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

const resourcesOf = ({ plural, singular, shortNames = [] }: Partial<Names>): readonly string[] =>
  [plural, singular, ...shortNames].filter((name): name is string => name !== undefined && name !== '');

const kindsOf = ({ kind, listKind }: Partial<Names>): readonly string[] =>
  [kind, listKind].filter((name): name is string => name !== undefined && name !== '');

const takenBy = (definition: CustomResourceDefinition, { definitions, builtIn }: Neighbours): Taken => {
  const { group } = definition.spec;
  const own = builtIn.filter((kind) => kind.group === group);
  const accepted = definitions
    .filter((other) => other.spec.group === group && other.metadata.name !== definition.metadata.name)
    .map((other): Partial<Names> => other.status?.acceptedNames ?? {});
  return {
    resources: new Set([
      ...own.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...shortNames]),
      ...accepted.flatMap(resourcesOf),
    ]),
    kinds: new Set([...own.flatMap(({ kind }) => [kind, `${kind}List`]), ...accepted.flatMap(kindsOf)]),
  };
};

export interface Neighbours {
  /** All definitions there are, this one among them or not. */
  readonly definitions: readonly CustomResourceDefinition[];
  readonly builtIn: readonly Kind[];
}

interface Verdict {
  readonly names: Names;
  readonly problem: { readonly reason: string; readonly message: string } | undefined;
}

const verdictOn = (definition: CustomResourceDefinition, taken: Taken): Verdict => {
  const wanted = definition.spec.names;
  const isFree = (name: string | undefined): boolean => name === undefined || !taken.resources.has(name);
  const checks: readonly (readonly [reason: string, name: string | undefined, free: boolean])[] = [
    ['PluralConflict', wanted.plural, isFree(wanted.plural)],
    ['SingularConflict', wanted.singular, isFree(wanted.singular)],
    ...(wanted.shortNames ?? []).map((name) => ['ShortNamesConflict', name, isFree(name)] as const),
    ['KindConflict', wanted.kind, !taken.kinds.has(wanted.kind)],
    ['ListKindConflict', wanted.listKind, wanted.listKind === undefined || !taken.kinds.has(wanted.listKind)],
  ];
  const [failed] = checks.filter(([, , free]) => !free);
  const before = definition.status?.acceptedNames;
  if (failed === undefined) return { names: wanted, problem: undefined };
  const [reason, name = ''] = failed;
  return {
    names: before ?? { plural: '', kind: '' },
    problem: { reason, message: `${JSON.stringify(name)} is already in use` },
  };
};

export const conditionOf = (definition: CustomResourceDefinition, type: string): Condition | undefined =>
  definition.status?.conditions?.find((condition) => condition.type === type);

export const isEstablished = (definition: CustomResourceDefinition): boolean =>
  conditionOf(definition, 'Established')?.status === 'True';

/** Keeps the time of the last transition where the status stays. */
const withCondition = (
  conditions: readonly Condition[],
  condition: Condition,
  now: Instant,
): readonly Condition[] => {
  const before = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime =
    before?.status === condition.status && before.lastTransitionTime !== undefined
      ? before.lastTransitionTime
      : toTimestamp(now);
  const made = { ...condition, lastTransitionTime };
  return before === undefined
    ? [...conditions, made]
    : conditions.map((one) => (one === before ? made : one));
};

/** Once established, a definition stays so: its objects are there. */
export const definitionStatus = (
  definition: CustomResourceDefinition,
  neighbours: Neighbours,
  now: Instant,
): NonNullable<CustomResourceDefinition['status']> => {
  const { names, problem } = verdictOn(definition, takenBy(definition, neighbours));
  const storage = definition.spec.versions.find((version) => version.storage)?.name;
  const stored = definition.status?.storedVersions ?? [];
  const established = problem === undefined || isEstablished(definition);
  const accepted: Condition =
    problem === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...problem };
  const serving: Condition = established
    ? {
        type: 'Established',
        status: 'True',
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      }
    : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
  const conditions = withCondition(
    withCondition(definition.status?.conditions ?? [], accepted, now),
    serving,
    now,
  );
  return {
    ...definition.status,
    acceptedNames: names,
    conditions,
    storedVersions: storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
  };
};

/** The definition while its objects are being deleted, because it is. */
export const terminating = (
  definition: CustomResourceDefinition,
  now: Instant,
): CustomResourceDefinition => ({
  ...definition,
  status: {
    ...definition.status,
    conditions: withCondition(
      definition.status?.conditions ?? [],
      {
        type: 'Terminating',
        status: 'True',
        reason: 'InstanceDeletionInProgress',
        message: 'CustomResource deletion is in progress',
      },
      now,
    ),
  },
});
