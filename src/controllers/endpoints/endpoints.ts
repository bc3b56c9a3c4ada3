// EndpointSlices (and Endpoints) of Services with a selector: which pods they reach, and which of those may be sent to.
import { labelKey, podsByLabel } from '../../client/indexes.js';
import type { Index, View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import type { Endpoints, EndpointSlice, Pod, Service } from '../../resources/generated/types.js';
import { endpoints } from '../../resources/kinds/endpoints.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { pods } from '../../resources/kinds/pods.js';
import { services } from '../../resources/kinds/services.js';
import { selectsByMap } from '../../resources/label-selector.js';
import { isDeleting, nameOf } from '../../resources/resource.js';
import { endpointWeights } from './endpoint-weights.js';
import { legacyActions } from './legacy-endpoints.js';
import { portGroups } from './service-endpoints.js';
import { serviceNameLabel, sliceActions } from './slices.js';

export interface EndpointsObserved {
  readonly service: Service;
  readonly pods: readonly Pod[];
  readonly slices: readonly EndpointSlice[];
  readonly endpoints: Endpoints | undefined;
}

const serviceOf = ({ metadata }: EndpointSlice): string | undefined => metadata.labels?.[serviceNameLabel];

/** By `namespace/service`. */
export const slicesByService: Index<EndpointSlice> = {
  name: 'slices by service',
  kind: endpointslices,
  keys: (slice) => {
    const service = serviceOf(slice);
    return service === undefined ? [] : [`${slice.metadata.namespace ?? ''}/${service}`];
  },
};

const selectedPods = (view: View, { metadata, spec }: Service): readonly Pod[] => {
  const [first] = Object.entries(spec.selector ?? {});
  if (first === undefined) return [];
  return view
    .lookup(podsByLabel, labelKey(metadata.namespace ?? '', ...first))
    .filter((pod) => selectsByMap(spec.selector, pod.metadata.labels));
};

/** Without a selector, whoever made the Service makes its endpoints. */
const observe = (view: View, key: Key): EndpointsObserved | undefined => {
  const service = view.get(services, key);
  if (service?.spec.selector === undefined || service.spec.type === 'ExternalName') return undefined;
  if (isDeleting(service)) return undefined;
  return {
    service,
    pods: selectedPods(view, service),
    slices: view.lookup(slicesByService, `${key.namespace ?? ''}/${key.name}`),
    endpoints: view.get(endpoints, key),
  };
};

const reconcile = (observed: EndpointsObserved): Decision<ClusterAction> => {
  const { service, slices } = observed;
  const groups = portGroups(service, observed.pods);
  const all = groups.flatMap((group) => group.endpoints);
  const ready = all.filter(({ conditions }) => conditions?.ready === true).length;
  return {
    actions: [
      ...sliceActions(service, groups, { slices, weights: endpointWeights(service, observed.pods, all) }),
      ...legacyActions(service, groups, observed.endpoints),
    ],
    because: `selects ${String(observed.pods.length)} pods: ${String(all.length)} have an address, ${String(ready)} are ready`,
  };
};

const sameLabels = (a: Pod, b: Pod): boolean => a.metadata.labels === b.metadata.labels;

/** Services that select the pod, now or before the change. */
const selecting = (view: View, object: Pod, previous: Pod | undefined): readonly Key[] =>
  view
    .list(services, object.metadata.namespace)
    .filter(
      ({ spec }) =>
        selectsByMap(spec.selector, object.metadata.labels) ||
        (previous !== undefined &&
          !sameLabels(object, previous) &&
          selectsByMap(spec.selector, previous.metadata.labels)),
    )
    .map(nameOf);

export const endpointsController: Controller<EndpointsObserved, ClusterAction> = {
  name: 'endpoints',
  watches: [
    { kind: services, keys: ({ object }) => [nameOf(object)] },
    {
      kind: pods,
      keys: ({ object, previous }, view) => selecting(view, object as Pod, previous as Pod | undefined),
    },
    {
      kind: endpointslices,
      keys: ({ object }) => {
        const name = serviceOf(object as EndpointSlice);
        return name === undefined ? [] : [{ name, namespace: object.metadata.namespace }];
      },
    },
    { kind: endpoints, keys: ({ object }) => [nameOf(object)] },
  ],
  indexes: [podsByLabel, slicesByService],
  observe,
  reconcile,
};
