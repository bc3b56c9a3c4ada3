// Shares of groups of pods, as a Service gives them -> whole numbers by endpoint, so that each group gets exactly its own.
import type { Endpoint, Pod, Service } from '../../resources/generated/types.js';
import { largestWeight, weightsOf, type Weights } from '../../resources/endpoint-weights.js';
import { matches, parseLabelSelector } from '../../resources/label-selector.js';

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** In smallest terms; beyond what a weight can hold, rounded, and nothing that weighs something comes to nothing. */
const whole = (shares: ReadonlyMap<string, { readonly share: number; readonly among: number }>): Weights => {
  const all = [...shares.values()];
  const common = all.reduce((product, { among }) => (product * among) / divisor(product, among), 1);
  const exact = all.map(({ share, among }) => (share * common) / among);
  const factor = exact.reduce(divisor, 0) || 1;
  const scale = Math.max(1, ...exact.map((weight) => weight / factor / largestWeight));
  const weights = exact.map((weight) =>
    weight === 0 ? 0 : Math.max(1, Math.round(weight / factor / scale)),
  );
  return new Map([...shares.keys()].map((address, index) => [address, weights[index] ?? 0]));
};

/** Undefined where the Service gives no shares. */
export const endpointWeights = (
  { metadata }: Service,
  pods: readonly Pod[],
  endpoints: readonly Endpoint[],
): Weights | undefined => {
  const wanted = weightsOf(metadata.annotations);
  if (wanted === undefined) return undefined;
  const labels = new Map(pods.map((pod) => [pod.metadata.uid, pod.metadata.labels]));
  const groups = [...wanted].map(([selector, share]) => {
    const requirements = parseLabelSelector(selector);
    const members: string[] = [];
    return { requirements, share, members };
  });
  for (const {
    addresses: [address = ''],
    conditions,
    targetRef,
  } of endpoints) {
    if (conditions?.ready !== true) continue;
    const own = labels.get(targetRef?.uid ?? '');
    groups.find(({ requirements }) => matches(requirements, own))?.members.push(address);
  }
  const shares = groups.flatMap(({ share, members }) =>
    members.map((address) => [address, { share, among: members.length }] as const),
  );
  return whole(new Map(shares));
};
