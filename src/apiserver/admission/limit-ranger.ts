// Keeps what is created in a namespace within its LimitRanges, and fills in what its author left out.
import type { ClusterError } from '../../base/errors.js';
import type { Container, LimitRangeItem, Pod } from '../../resources/generated/types.js';
import { limitranges } from '../../resources/kinds/limitranges.js';
import { pods } from '../../resources/kinds/pods.js';
import { isSidecar } from '../../resources/pod-status.js';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  maxQuantity,
  quantity,
} from '../../resources/quantity.js';
import type { Quantity } from '../../resources/quantity.js';
import type { StringMap } from '../../resources/resource.js';
import { forbidden } from '../verbs/rejections.js';
import type { Admission } from './admission.js';
import { newPod } from './pod-defaults.js';

const withDefaultsOf = (container: Container, limit: LimitRangeItem): Container => {
  const { resources = {} } = container;
  const limits = { ...limit.default, ...resources.limits };
  const requests = { ...limit.defaultRequest, ...ownRequests(resources.requests, resources.limits) };
  return {
    ...container,
    resources: {
      ...resources,
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
      ...(Object.keys(requests).length === 0 ? {} : { requests }),
    },
  };
};

/** Whoever names a limit only asks for as much. */
const ownRequests = (requests: StringMap | undefined, limits: StringMap | undefined): StringMap => ({
  ...limits,
  ...requests,
});

const completed = (pod: Pod, limit: LimitRangeItem): Pod => {
  if (limit.type !== 'Container') return pod;
  const { containers, initContainers } = pod.spec;
  const complete = (container: Container): Container => withDefaultsOf(container, limit);
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(complete),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(complete) }),
    },
  };
};

type Amounts = ReadonlyMap<string, Quantity>;

const read = (map: StringMap | undefined): Amounts =>
  new Map(Object.entries(map ?? {}).map(([name, text]) => [name, quantity(text)]));

const sumOf = (a: Amounts, b: Amounts): Amounts => {
  const sum = new Map(a);
  for (const [name, amount] of b) {
    const before = sum.get(name);
    sum.set(name, before === undefined ? amount : addQuantities(before, amount));
  }
  return sum;
};

const largerOf = (a: Amounts, b: Amounts): Amounts => {
  const larger = new Map(a);
  for (const [name, amount] of b) {
    const before = larger.get(name);
    larger.set(name, before === undefined ? amount : maxQuantity(before, amount));
  }
  return larger;
};

/** A pod's containers together, or its largest init container beside the sidecars, whichever is more. */
const podAmounts = ({ spec }: Pod, part: 'limits' | 'requests'): Amounts => {
  let running: Amounts = new Map();
  let starting: Amounts = new Map();
  let sidecars: Amounts = new Map();
  for (const { resources } of spec.containers) running = sumOf(running, read(resources?.[part]));
  for (const container of spec.initContainers ?? []) {
    const own = read(container.resources?.[part]);
    if (isSidecar(container)) {
      running = sumOf(running, own);
      sidecars = sumOf(sidecars, own);
    } else starting = largerOf(starting, sumOf(own, sidecars));
  }
  return largerOf(running, starting);
};

interface Measured {
  readonly type: string;
  readonly requests: Amounts;
  readonly limits: Amounts;
}

const text = (amount: Quantity): string => formatQuantity(amount);

const minimumProblems = ({ type, requests, limits }: Measured, limit: LimitRangeItem): string[] =>
  Object.entries(limit.min ?? {}).flatMap(([resource, written]) => {
    const least = quantity(written);
    const head = `minimum ${resource} usage per ${type} is ${written}`;
    const asked = requests.get(resource);
    const most = limits.get(resource);
    if (asked === undefined) return [`${head}.  No request is specified`];
    if (compareQuantities(asked, least) < 0) return [`${head}, but request is ${text(asked)}`];
    if (most !== undefined && compareQuantities(most, least) < 0)
      return [`${head}, but limit is ${text(most)}`];
    return [];
  });

const maximumProblems = ({ type, requests, limits }: Measured, limit: LimitRangeItem): string[] =>
  Object.entries(limit.max ?? {}).flatMap(([resource, written]) => {
    const bound = quantity(written);
    const head = `maximum ${resource} usage per ${type} is ${written}`;
    const asked = requests.get(resource);
    const most = limits.get(resource);
    if (most === undefined) return [`${head}.  No limit is specified`];
    if (compareQuantities(most, bound) > 0) return [`${head}, but limit is ${text(most)}`];
    if (asked !== undefined && compareQuantities(asked, bound) > 0)
      return [`${head}, but request is ${text(asked)}`];
    return [];
  });

const ratioProblems = ({ type, requests, limits }: Measured, limit: LimitRangeItem): string[] =>
  Object.entries(limit.maxLimitRequestRatio ?? {}).flatMap(([resource, written]) => {
    const head = `${resource} max limit to request ratio per ${type} is ${written}`;
    const asked = requests.get(resource);
    const most = limits.get(resource);
    if (asked === undefined || asked.nanos === 0n)
      return [`${head}, but no request is specified or request is 0`];
    if (most === undefined || most.nanos === 0n) return [`${head}, but no limit is specified or limit is 0`];
    // limit / request > ratio, without a division that could round.
    if (most.nanos * 1_000_000_000n <= quantity(written).nanos * asked.nanos) return [];
    const ratio = Number(most.nanos) / Number(asked.nanos);
    return [`${head}, but provided ratio is ${ratio.toFixed(6)}`];
  });

const problemsOf = (measured: Measured, limit: LimitRangeItem): readonly string[] => [
  ...minimumProblems(measured, limit),
  ...maximumProblems(measured, limit),
  ...ratioProblems(measured, limit),
];

const podProblems = (pod: Pod, limit: LimitRangeItem): readonly string[] => {
  switch (limit.type) {
    case 'Container':
      return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ resources }) =>
        problemsOf(
          { type: 'Container', requests: read(resources?.requests), limits: read(resources?.limits) },
          limit,
        ),
      );
    case 'Pod':
      return problemsOf(
        { type: 'Pod', requests: podAmounts(pod, 'requests'), limits: podAmounts(pod, 'limits') },
        limit,
      );
    default:
      return [];
  }
};

const refusal = (pod: Pod, problems: readonly string[]): ClusterError =>
  forbidden(
    pods,
    pod.metadata.name,
    problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`,
  );

export const limitRanger: Admission = {
  name: 'LimitRanger',
  admit: (request) => {
    const pod = newPod(request);
    if (pod === undefined) return undefined;
    const items = request.reads.list(limitranges, request.namespace).flatMap(({ spec }) => spec.limits);
    if (items.length === 0) return undefined;
    const object = items.reduce(completed, pod);
    const problems = items.flatMap((item) => podProblems(object, item));
    if (problems.length > 0) throw refusal(object, problems);
    return { object };
  },
};
