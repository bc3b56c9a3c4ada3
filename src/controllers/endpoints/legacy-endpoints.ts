// The older Endpoints object of a Service, for clients that still read it: a mirror of the slices' content.
import { equal } from '../../base/json.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { EndpointAddress, Endpoints, EndpointSubset, Service } from '../../resources/generated/types.js';
import { endpoints as endpointsKind } from '../../resources/kinds/endpoints.js';
import { ownedBy } from '../../resources/resource.js';
import type { Draft } from '../../resources/resource.js';
import type { PortGroup } from './service-endpoints.js';

/** Kubernetes' bound for one object. */
const most = 1000;

const subsetOf = ({ ports, endpoints }: PortGroup): EndpointSubset => {
  const addresses: EndpointAddress[] = [];
  const notReadyAddresses: EndpointAddress[] = [];
  for (const {
    addresses: [ip = ''],
    conditions,
    nodeName,
    targetRef,
    hostname,
  } of endpoints.slice(0, most)) {
    // A pod that ends is in the slices only.
    if (conditions?.terminating === true) continue;
    const address: EndpointAddress = {
      ip,
      ...(hostname === undefined ? {} : { hostname }),
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(targetRef === undefined ? {} : { targetRef }),
    };
    (conditions?.ready === true ? addresses : notReadyAddresses).push(address);
  }
  const byAddress = (a: EndpointAddress, b: EndpointAddress): number => (a.ip < b.ip ? -1 : 1);
  return {
    ...(addresses.length === 0 ? {} : { addresses: addresses.sort(byAddress) }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses: notReadyAddresses.sort(byAddress) }),
    ports: ports.map(({ name, port = 0, protocol, appProtocol }) => ({
      ...(name === undefined || name === '' ? {} : { name }),
      port,
      ...(protocol === undefined ? {} : { protocol }),
      ...(appProtocol === undefined ? {} : { appProtocol }),
    })),
  };
};

export const legacyActions = (
  service: Service,
  groups: readonly PortGroup[],
  existing: Endpoints | undefined,
): readonly ClusterAction[] => {
  const subsets = groups
    .map(subsetOf)
    .filter(({ addresses, notReadyAddresses }) => (addresses ?? notReadyAddresses) !== undefined)
    .sort((a, b) => (JSON.stringify(a.ports) < JSON.stringify(b.ports) ? -1 : 1));
  const labels = service.metadata.labels ?? {};
  if (existing === undefined) {
    const { name, namespace } = service.metadata;
    const object: Draft<Endpoints> = {
      metadata: { name, namespace, labels, ownerReferences: [ownedBy(service)] },
      subsets,
    };
    return [{ type: 'create', kind: endpointsKind, object }];
  }
  if (equal(existing.subsets ?? [], subsets) && equal(existing.metadata.labels ?? {}, labels)) return [];
  const object: Endpoints = { ...existing, subsets, metadata: { ...existing.metadata, labels } };
  return [{ type: 'update', kind: endpointsKind, object }];
};
