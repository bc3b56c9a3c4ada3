// Carries ClusterActions out: one line per action type, each with what the View will show afterwards.
import { hasCode } from '../base/errors.js';
import { isObject } from '../base/json.js';
import type { Cluster, Patch } from '../client/cluster.js';
import { pods } from '../resources/kinds/pods.js';
import type { Pod } from '../resources/generated/types.js';
import type { Draft, ObjectName } from '../resources/resource.js';
import { nameOf } from '../resources/resource.js';
import type { ClusterAction, EventRecorder } from './cluster-action.js';
import { expectGone, expectNewer, expectPresent, expectSeen, expectSeenOrGone } from './expectation.js';
import type { Expectation, ExpectingExecutor } from './expectation.js';

export interface ClusterExecutorOptions {
  readonly cluster: Cluster;
  readonly events: EventRecorder;
  /** Named in `managedFields`. */
  readonly fieldManager: string;
}

type Of<Type extends ClusterAction['type']> = Extract<ClusterAction, { readonly type: Type }>;

type Table<Result> = { readonly [Type in ClusterAction['type']]: (action: Of<Type>) => Result };

const pick = <Result>(table: Table<Result>, action: ClusterAction): Result =>
  (table[action.type] as (action: ClusterAction) => Result)(action);

/** A bound pod, or one that is gone: either way the binding shows. */
const expectBound = (name: ObjectName): Expectation => ({
  kind: pods,
  name,
  isMet: (view) => {
    const pod: Pod | undefined = view.get(pods, name);
    return pod === undefined || (pod.spec.nodeName ?? '') !== '';
  },
});

const draftName = ({ metadata }: Draft): ObjectName | undefined =>
  metadata.name === undefined ? undefined : { name: metadata.name, namespace: metadata.namespace };

/** The resourceVersion that a merge patch insists on, if any. */
const basis = (patch: Patch): string | undefined => {
  if (patch.type === 'json' || !isObject(patch.patch)) return undefined;
  const { metadata } = patch.patch;
  const version = isObject(metadata) ? metadata['resourceVersion'] : undefined;
  return typeof version === 'string' ? version : undefined;
};

/** After Conflict, AlreadyExists or NotFound: the change that the view has not shown yet. */
const refusals: Table<Expectation | undefined> = {
  create: ({ kind, object }) => {
    const name = draftName(object);
    return name === undefined ? undefined : expectPresent(kind, name);
  },
  update: ({ kind, object }) => expectNewer(kind, nameOf(object), object.metadata.resourceVersion),
  updateStatus: ({ kind, object }) => expectNewer(kind, nameOf(object), object.metadata.resourceVersion),
  patch: ({ kind, name, patch }) => {
    const based = basis(patch);
    return based === undefined ? undefined : expectNewer(kind, name, based);
  },
  delete: ({ kind, name, options }) => {
    const { uid, resourceVersion } = options.preconditions ?? {};
    return resourceVersion === undefined
      ? expectGone(kind, name, uid)
      : expectNewer(kind, name, resourceVersion);
  },
  bind: ({ pod }) => expectBound(pod),
  evict: ({ pod }) => expectGone(pods, pod),
  event: () => undefined,
};

const verbs = ({
  cluster,
  events,
  fieldManager,
}: ClusterExecutorOptions): Table<Promise<Expectation | undefined>> => {
  const options = { fieldManager };
  return {
    create: async ({ kind, object }) => expectSeen(kind, await cluster.create(kind, object, options)),
    update: async ({ kind, object }) => expectSeenOrGone(kind, await cluster.update(kind, object, options)),
    updateStatus: async ({ kind, object }) =>
      expectSeenOrGone(kind, await cluster.updateStatus(kind, object, options)),
    patch: async ({ kind, name, patch, subresource }) =>
      expectSeenOrGone(kind, await cluster.patch(kind, name, patch, { ...options, subresource })),
    delete: async ({ kind, name, options: deletion }) => {
      try {
        await cluster.delete(kind, name, deletion);
      } catch (error) {
        // Gone already is what was wanted.
        if (!hasCode(error, 'NotFound')) throw error;
      }
      return expectGone(kind, name, deletion.preconditions?.uid);
    },
    bind: async ({ pod, node }) => {
      await cluster.bind(pod, node);
      return expectBound(pod);
    },
    evict: async ({ pod, options: deletion }) => {
      await cluster.evict(pod, deletion);
      return expectGone(pods, pod);
    },
    event: ({ event }) => {
      events.record(event);
      return Promise.resolve(undefined);
    },
  };
};

/** Types of which one action does not build on the one before it. */
const independent: ReadonlySet<ClusterAction['type']> = new Set([
  'create',
  'delete',
  'bind',
  'evict',
  'event',
]);

/** A write that was sent is waited for, also when the signal aborts meanwhile: its effect is the same either way. */
export const createClusterExecutor = (options: ClusterExecutorOptions): ExpectingExecutor<ClusterAction> => {
  const table = verbs(options);
  const perform = (action: ClusterAction, signal: AbortSignal): Promise<Expectation | undefined> => {
    signal.throwIfAborted();
    return pick(table, action);
  };
  return {
    perform: async (action, signal) => perform(action, signal),
    execute: async (action, signal) => {
      await perform(action, signal);
    },
    refused: (action) => pick(refusals, action),
    together: (previous, action) =>
      independent.has(action.type) &&
      action.type === previous.type &&
      ('kind' in action && 'kind' in previous ? action.kind === previous.kind : true),
  };
};
