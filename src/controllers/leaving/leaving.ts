// The end of an endpoint without a dropped request: a pod that is being deleted is marked as confirmed when every proxy
// has taken it out; its agent sends SIGTERM only then.
import { toMicroTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import type { Index, View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import type { EndpointSlice, Lease, Pod, Service } from '../../resources/generated/types.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { leases } from '../../resources/kinds/leases.js';
import { pods } from '../../resources/kinds/pods.js';
import { services } from '../../resources/kinds/services.js';
import { selectsByMap } from '../../resources/label-selector.js';
import { isPodTerminated } from '../../resources/pod-status.js';
import { confirmedAnnotation, proxyRevisionAnnotation } from '../../resources/proxy-revision.js';
import { displayName, isDeleting, nameOf } from '../../resources/resource.js';
import { slicesByService } from '../endpoints/endpoints.js';
import type { Proxy, ProxyFacts } from './proxy-log.js';

export interface LeavingObserved {
  readonly pod: Pod;
  readonly proxies: readonly Proxy[];
  /** A service that still shows the pod as if it stayed; undefined when none does. */
  readonly shownBy: string | undefined;
  /** Up to which proxies must follow the slices; 0 when no service has the pod. */
  readonly revision: number;
}

const isWaiting = (pod: Pod): boolean =>
  isDeleting(pod) &&
  (pod.metadata.deletionGracePeriodSeconds ?? 0) > 0 &&
  pod.spec.nodeName !== undefined &&
  pod.metadata.annotations?.[confirmedAnnotation] === undefined;

const everyone = 'waiting';

/** Pods that are being deleted and not confirmed yet. */
const waitingPods: Index<Pod> = {
  name: 'pods that wait for proxies',
  kind: pods,
  keys: (pod) => (isWaiting(pod) ? [everyone] : []),
};

/** What a service with `publishNotReadyAddresses` shows, it shows to the end. */
const sendsToLiving = ({ spec }: Service, pod: Pod): boolean =>
  spec.type !== 'ExternalName' &&
  spec.publishNotReadyAddresses !== true &&
  selectsByMap(spec.selector, pod.metadata.labels);

/** Since when all slices of the service say that the pod leaves; undefined while they do not. */
const leavingOf = (slices: readonly EndpointSlice[], pod: Pod, facts: ProxyFacts): number | undefined => {
  const { uid } = pod.metadata;
  const naming = slices.filter(({ endpoints }) => endpoints.some(({ targetRef }) => targetRef?.uid === uid));
  const since = naming.map((slice) => facts.leavingSince(displayName(nameOf(slice)), uid));
  if (since.some((revision) => revision === undefined)) return undefined;
  // A pod with an address stays in the slices while it ends: one that is in none has not been looked at yet.
  const expected = pod.status?.podIP !== undefined && !isPodTerminated(pod);
  return naming.length === 0 && expected
    ? undefined
    : Math.max(0, ...since.filter((revision) => revision !== undefined));
};

const observe = (view: View, key: Key, facts: ProxyFacts): LeavingObserved | undefined => {
  const pod = view.get(pods, key);
  if (pod === undefined || !isWaiting(pod)) return undefined;
  let revision = 0;
  let shownBy: string | undefined;
  for (const service of view.list(services, key.namespace)) {
    if (!sendsToLiving(service, pod)) continue;
    const name = displayName(nameOf(service));
    const leaving = leavingOf(view.lookup(slicesByService, name), pod, facts);
    if (leaving === undefined) shownBy ??= name;
    else revision = Math.max(revision, leaving);
  }
  return { pod, proxies: facts.proxies(), shownBy, revision };
};

const confirm = (pod: Pod, now: Instant, because: string): Decision<ClusterAction> => {
  const { metadata } = pod;
  const patch = {
    metadata: { uid: metadata.uid, annotations: { [confirmedAnnotation]: toMicroTimestamp(now) } },
  };
  return {
    actions: [{ type: 'patch', kind: pods, name: nameOf(pod), patch: { type: 'merge', patch } }],
    because,
  };
};

/** Pure. A proxy whose Lease has run out is not waited for: its node carries no traffic, or nobody can tell. */
export const decideLeaving = (observed: LeavingObserved, now: Instant): Decision<ClusterAction> => {
  const { pod, proxies, shownBy, revision } = observed;
  if (proxies.length === 0) return { actions: [], because: 'no proxy confirms anything in this cluster' };
  if (shownBy !== undefined)
    return { actions: [], because: `service ${shownBy} does not show yet that the pod leaves` };
  const behind = proxies.filter((proxy) => proxy.revision < revision && proxy.until > now);
  if (behind.length === 0)
    return confirm(
      pod,
      now,
      revision === 0
        ? 'no service sends anything to the pod: it may stop'
        : `every proxy follows the endpoints up to revision ${String(revision)} and sends nothing to the pod: it may stop`,
    );
  return {
    actions: [],
    because: `the proxies of ${behind.map(({ name }) => name).join(', ')} have not confirmed revision ${String(revision)}, from which on the pod gets nothing`,
    wakeAt: Math.min(...behind.map(({ until }) => until)),
  };
};

const waitingKeys = (view: View): readonly Key[] => view.lookup(waitingPods, everyone).map(nameOf);

/** The facts are fed before the controller hears of a change. */
export const createLeavingController = (facts: ProxyFacts): Controller<LeavingObserved, ClusterAction> => ({
  name: 'leaving-endpoints',
  watches: [
    { kind: pods, keys: ({ object }) => (isWaiting(object as Pod) ? [nameOf(object)] : []) },
    {
      kind: endpointslices,
      keys: ({ object }, view) => {
        const { endpoints } = object as EndpointSlice;
        const { namespace } = object.metadata;
        return endpoints.flatMap(({ conditions, targetRef }): readonly Key[] => {
          if (conditions?.terminating !== true || targetRef?.name === undefined) return [];
          const key = { name: targetRef.name, namespace };
          const pod = view.get(pods, key);
          return pod !== undefined && isWaiting(pod) ? [key] : [];
        });
      },
    },
    { kind: services, keys: (_change, view) => waitingKeys(view) },
    {
      kind: leases,
      keys: ({ object, previous }, view) => {
        const revisionOf = (lease: Lease | undefined): string | undefined =>
          lease?.metadata.annotations?.[proxyRevisionAnnotation];
        return revisionOf(object as Lease) === revisionOf(previous as Lease | undefined)
          ? []
          : waitingKeys(view);
      },
    },
  ],
  indexes: [waitingPods, slicesByService],
  observe: (view, key) => observe(view, key, facts),
  reconcile: decideLeaving,
});
