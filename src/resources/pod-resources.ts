// What a pod asks of a node: effective requests and limits, and the class of service that follows from them.
import type { Container, PodSpec } from './generated/types.js';
import { isSidecar } from './pod-status.js';
import { milliValue, wholeValue } from './quantity.js';

/** `cpu` in millicores; everything else in whole units (bytes, pieces), rounded up. */
export type Amounts = Readonly<Record<string, number>>;

type Written = Readonly<Record<string, string>> | undefined;

/** Reads `{cpu: 500m, memory: 1Gi}`. Exact up to 2^53, which is 8 PiB. */
export const amountsOf = (written: Written): Amounts => {
  const amounts: Record<string, number> = {};
  for (const [name, text] of Object.entries(written ?? {}))
    amounts[name] = name === 'cpu' ? milliValue(text) : wholeValue(text);
  return amounts;
};

export const addAmounts = (a: Amounts, b: Amounts): Amounts => {
  const sum: Record<string, number> = { ...a };
  for (const [name, amount] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + amount;
  return sum;
};

const maxAmounts = (a: Amounts, b: Amounts): Amounts => {
  const largest: Record<string, number> = { ...a };
  for (const [name, amount] of Object.entries(b)) largest[name] = Math.max(largest[name] ?? 0, amount);
  return largest;
};

type Part = 'requests' | 'limits';

const partOf = (container: Pick<Container, 'resources'>, part: Part): Amounts =>
  amountsOf(container.resources?.[part]);

/**
 * Containers run together, init containers one after the other beside the sidecars started before them; the pod needs
 * the larger of the two. Pod-level amounts, where given, stand for the whole pod; overhead comes on top.
 * Source: component-helpers resource.PodRequests.
 */
const effective = (spec: PodSpec, part: Part): Amounts => {
  let running: Amounts = {};
  for (const container of spec.containers) running = addAmounts(running, partOf(container, part));
  let sidecars: Amounts = {};
  let starting: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    const own = partOf(container, part);
    if (isSidecar(container)) {
      running = addAmounts(running, own);
      sidecars = addAmounts(sidecars, own);
      starting = maxAmounts(starting, sidecars);
    } else starting = maxAmounts(starting, addAmounts(own, sidecars));
  }
  const total = { ...maxAmounts(running, starting), ...amountsOf(spec.resources?.[part]) };
  const overhead = amountsOf(spec.overhead);
  if (part === 'requests') return addAmounts(total, overhead);
  return Object.fromEntries(
    Object.entries(total).map(([name, amount]) => [name, amount + (overhead[name] ?? 0)]),
  );
};

/** What the scheduler must find free on a node. */
export const podRequests = (spec: PodSpec): Amounts => effective(spec, 'requests');

export const podLimits = (spec: PodSpec): Amounts => effective(spec, 'limits');

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** `status.qosClass`. Only cpu and memory count. */
export const qosClassOf = (spec: PodSpec): QosClass => {
  const all =
    spec.resources === undefined
      ? [...(spec.initContainers ?? []), ...spec.containers]
      : [{ resources: spec.resources }];
  let any = false;
  let guaranteed = true;
  for (const container of all)
    for (const resource of ['cpu', 'memory']) {
      const limit = partOf(container, 'limits')[resource] ?? 0;
      const request = partOf(container, 'requests')[resource] ?? limit;
      if (limit > 0 || request > 0) any = true;
      if (limit === 0 || request !== limit) guaranteed = false;
    }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable';
};
