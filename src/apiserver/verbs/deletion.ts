// What a deletion does to an object, decided from the object alone: gone now, or marked until those who hold it let go.
import type { Instant } from '../../base/clock.js';
import { fromTimestamp, toTimestamp } from '../../base/clock.js';
import { isObject } from '../../base/json.js';
import type { DeleteOptions } from '../../client/cluster.js';
import type { Kind } from '../../resources/kind.js';
import type { ObjectMeta } from '../../resources/resource.js';
import type { OpenResource } from './context.js';

const isPod = (kind: Kind): boolean => kind.group === '' && kind.plural === 'pods';
const isNamespace = (kind: Kind): boolean => kind.group === '' && kind.plural === 'namespaces';

const memberOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

const hasSpecFinalizers = (object: OpenResource): boolean => {
  const finalizers = memberOf(object['spec'], 'finalizers');
  return Array.isArray(finalizers) && finalizers.length > 0;
};

/** Nothing holds an object that is being deleted any more: the next write takes it out of the store. */
export const isReleased = (kind: Kind, object: OpenResource): boolean =>
  (object.metadata.finalizers?.length ?? 0) === 0 &&
  (object.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  !(isNamespace(kind) && hasSpecFinalizers(object));

/** Seconds that Kubernetes gives a pod that names none. */
const defaultGrace = 30;

/**
 * Seconds between the wish and the end. Only a pod on a node that may still run has to be stopped there first; its
 * agent then deletes it with 0.
 */
const graceOf = (kind: Kind, object: OpenResource, asked: number | undefined): number => {
  if (!isPod(kind)) return 0;
  const phase = memberOf(object['status'], 'phase');
  const nodeName = memberOf(object['spec'], 'nodeName');
  if (typeof nodeName !== 'string' || nodeName === '' || phase === 'Succeeded' || phase === 'Failed')
    return 0;
  const own = memberOf(object['spec'], 'terminationGracePeriodSeconds');
  const grace = asked ?? (typeof own === 'number' ? own : defaultGrace);
  return grace < 0 ? 1 : grace;
};

/** The garbage collector does what these ask for and then removes them. */
const orphan = 'orphan';
const foreground = 'foregroundDeletion';

const finalizersFor = (
  finalizers: readonly string[] | undefined,
  policy: DeleteOptions['propagationPolicy'],
): readonly string[] => {
  const present = finalizers ?? [];
  if (policy === undefined) return present;
  const wanted = policy === 'Orphan' ? orphan : policy === 'Foreground' ? foreground : undefined;
  const others = present.filter((name) => name !== orphan && name !== foreground);
  if (wanted === undefined) return others;
  return present.includes(wanted)
    ? present.filter((name) => name === wanted || others.includes(name))
    : [...others, wanted];
};

export type Deletion =
  | { readonly type: 'remove' }
  | { readonly type: 'mark'; readonly object: OpenResource }
  /** It is being deleted already, and nothing about that changes. */
  | { readonly type: 'pending' };

/** A period once given can only become shorter; the end moves with it. */
const shortened = (metadata: ObjectMeta, grace: number): Partial<ObjectMeta> => {
  const current = metadata.deletionGracePeriodSeconds ?? 0;
  if (grace >= current) return {};
  const end = (fromTimestamp(metadata.deletionTimestamp) ?? 0) - (current - grace) * 1000;
  return { deletionTimestamp: toTimestamp(end), deletionGracePeriodSeconds: grace };
};

const firstMark = (metadata: ObjectMeta, grace: number, now: Instant): Partial<ObjectMeta> => ({
  deletionTimestamp: toTimestamp(now + grace * 1000),
  deletionGracePeriodSeconds: grace,
  ...(metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }),
});

const withoutFinalizers = (metadata: ObjectMeta): ObjectMeta => {
  const rest = { ...metadata };
  delete rest.finalizers;
  return rest;
};

const terminating = (object: OpenResource): OpenResource => ({
  ...object,
  status: { ...(isObject(object['status']) ? object['status'] : {}), phase: 'Terminating' },
});

/** Follows apiserver `registry/rest/delete.go` BeforeDelete and pod strategy CheckGracefulDelete. */
export const deletionOf = (
  kind: Kind,
  object: OpenResource,
  { options, now }: { readonly options: DeleteOptions; readonly now: Instant },
): Deletion => {
  const { metadata } = object;
  const finalizers = finalizersFor(metadata.finalizers, options.propagationPolicy);
  const deleting = metadata.deletionTimestamp !== undefined;
  const asked = options.gracePeriodSeconds;
  const grace = graceOf(kind, object, asked);
  const period = deleting
    ? asked === undefined && grace > 0
      ? {}
      : shortened(metadata, grace)
    : firstMark(metadata, grace, now);
  const marked: OpenResource = {
    ...object,
    metadata: {
      ...withoutFinalizers(metadata),
      ...period,
      ...(finalizers.length === 0 ? {} : { finalizers }),
    },
  };
  if (isReleased(kind, marked)) return { type: 'remove' };
  const sameHolders =
    finalizers.length === (metadata.finalizers?.length ?? 0) &&
    finalizers.every((name) => metadata.finalizers?.includes(name) === true);
  if (deleting && sameHolders && Object.keys(period).length === 0) return { type: 'pending' };
  return { type: 'mark', object: isNamespace(kind) ? terminating(marked) : marked };
};
