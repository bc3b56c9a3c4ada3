// The pods behind a port of a Service, as a proxy sends to them: straight, with the shares of their slices.
import type { View } from '../../client/view.js';
import { addressNumber } from '../../base/ipv4.js';
import type { Service } from '../../resources/generated/types.js';
import { services } from '../../resources/kinds/services.js';
import { slicesOfService } from '../service-view.js';
import { weightsOf } from '../../resources/endpoint-weights.js';
import { reduced } from '../weights.js';
import type { Endpoint } from './routing.js';

const mostWeight = 256;

type Port = NonNullable<Service['spec']['ports']>[number];

const scaled = (weights: readonly number[]): readonly number[] => {
  const small = reduced(weights);
  const largest = Math.max(1, ...small);
  return largest <= mostWeight
    ? small
    : small.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round((weight * mostWeight) / largest))));
};

/** Undefined when there is no such Service, or no such port of it. */
export const endpointsOf = (
  view: View,
  id: { readonly namespace: string; readonly name: string },
  port: { readonly name?: string | undefined; readonly number?: number | undefined },
): readonly Endpoint[] | undefined => {
  const service = view.get(services, id);
  const wanted = service?.spec.ports?.find((one: Port) =>
    port.number === undefined ? one.name === port.name : one.port === port.number,
  );
  if (wanted === undefined) return undefined;
  const found = new Map<
    string,
    { readonly address: string; readonly port: number; readonly weight: number }
  >();
  for (const slice of view.lookup(slicesOfService, `${id.namespace}/${id.name}`)) {
    const target = slice.ports?.find(({ name }) => (name ?? '') === (wanted.name ?? ''))?.port;
    if (target === undefined || slice.addressType !== 'IPv4') continue;
    const weights = weightsOf(slice.metadata.annotations);
    for (const { addresses, conditions } of slice.endpoints) {
      const [address = ''] = addresses;
      if (addressNumber(address) === undefined || conditions?.ready === false) continue;
      const weight = weights === undefined ? 1 : (weights.get(address) ?? 0);
      found.set(`${address}:${String(target)}`, { address, port: target, weight });
    }
  }
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
  const weights = scaled(sorted.map(({ weight }) => weight));
  return sorted.flatMap((endpoint, index) => {
    const weight = weights[index] ?? 0;
    return weight === 0 ? [] : [{ ...endpoint, weight }];
  });
};
