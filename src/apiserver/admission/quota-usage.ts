// What one object uses of a quota. Pure; the words are those of Kubernetes' quota evaluators.
import type {
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  ResourceQuota,
  Service,
} from '../../resources/generated/types.js';
import { podLimits, podRequests, qosClassOf } from '../../resources/pod-resources.js';
import type { Amounts } from '../../resources/pod-resources.js';
import { formatQuantity, parseQuantity } from '../../resources/quantity.js';
import type { Resource } from '../../resources/resource.js';

/** Billionths by the resource name that a quota uses. */
export type Usage = ReadonlyMap<string, bigint>;

/** One state of an object, with what decides whether a quota with scopes counts it. */
export interface Consumer {
  readonly usage: Usage;
  readonly pod: Pod | undefined;
}

const nano = 1_000_000_000n;
const milli = 1_000_000n;

/** Kinds that quotas count by their plain name as well as by `count/…`. */
const plainCounts: ReadonlySet<string> = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);

const add = (usage: Map<string, bigint>, name: string, nanos: bigint): void => {
  usage.set(name, (usage.get(name) ?? 0n) + nanos);
};

/** CPU comes in thousandths, everything else in whole units. */
const inNanos = (name: string, amount: number): bigint =>
  BigInt(Math.round(amount)) * (name === 'cpu' ? milli : nano);

const addAmounts = (
  usage: Map<string, bigint>,
  amounts: Amounts,
  namesOf: (name: string) => readonly string[],
): void => {
  for (const [name, amount] of Object.entries(amounts))
    for (const as of namesOf(name)) add(usage, as, inNanos(name, amount));
};

const isExtended = (name: string): boolean => name.includes('/') || name.startsWith('hugepages-');

/** A pod that has ended uses nothing any more. */
const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

const addPod = (usage: Map<string, bigint>, pod: Pod): void => {
  if (isOver(pod)) return;
  add(usage, 'pods', nano);
  addAmounts(usage, podRequests(pod.spec), (name) =>
    isExtended(name) ? [`requests.${name}`] : [name, `requests.${name}`],
  );
  addAmounts(usage, podLimits(pod.spec), (name) => (isExtended(name) ? [] : [`limits.${name}`]));
};

const addService = (usage: Map<string, bigint>, { spec }: Service): void => {
  const { type, ports = [] } = spec;
  if (type === 'LoadBalancer') add(usage, 'services.loadbalancers', nano);
  const held = ports.filter(({ nodePort }) => (nodePort ?? 0) > 0).length;
  const nodePorts = type === 'NodePort' ? ports.length : type === 'LoadBalancer' ? held : 0;
  if (nodePorts > 0) add(usage, 'services.nodeports', BigInt(nodePorts) * nano);
};

const addClaim = (usage: Map<string, bigint>, { spec }: PersistentVolumeClaim): void => {
  const storage = parseQuantity(spec.resources?.requests?.['storage'] ?? '0')?.nanos ?? 0n;
  add(usage, 'requests.storage', storage);
  const { storageClassName = '' } = spec;
  if (storageClassName === '') return;
  add(usage, `${storageClassName}.storageclass.storage.k8s.io/requests.storage`, storage);
  add(usage, `${storageClassName}.storageclass.storage.k8s.io/persistentvolumeclaims`, nano);
};

/** `prefix` is `core/pods`, `apps/deployments`: group and plural as the store's keys have them. */
export const consumerOf = (prefix: string, object: Resource): Consumer => {
  const [group = '', plural = ''] = prefix.split('/');
  const usage = new Map<string, bigint>([[`count/${plural}${group === 'core' ? '' : `.${group}`}`, nano]]);
  if (group !== 'core') return { usage, pod: undefined };
  if (plainCounts.has(plural)) add(usage, plural, nano);
  switch (plural) {
    case 'pods': {
      const pod = object as Pod;
      addPod(usage, pod);
      return { usage, pod };
    }
    case 'services':
      addService(usage, object as Service);
      break;
    case 'persistentvolumeclaims':
      addClaim(usage, object as PersistentVolumeClaim);
      break;
    default:
  }
  return { usage, pod: undefined };
};

const reachesOtherNamespaces = ({ affinity }: PodSpec): boolean =>
  [affinity?.podAffinity, affinity?.podAntiAffinity].some((rules) =>
    [
      ...(rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        ({ podAffinityTerm }) => podAffinityTerm,
      ),
    ].some(
      ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
    ),
  );

interface Scope {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

const priorityFits = (priorityClass: string, { operator, values = [] }: Scope): boolean => {
  switch (operator) {
    case 'In':
      return values.includes(priorityClass);
    case 'NotIn':
      return !values.includes(priorityClass);
    case 'DoesNotExist':
      return priorityClass === '';
    default:
      return priorityClass !== '';
  }
};

const inScope = ({ spec }: Pod, scope: Scope): boolean => {
  switch (scope.scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return qosClassOf(spec) === 'BestEffort';
    case 'NotBestEffort':
      return qosClassOf(spec) !== 'BestEffort';
    case 'PriorityClass':
      return priorityFits(spec.priorityClassName ?? '', scope);
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(spec);
    default:
      return false;
  }
};

/** Does the quota count this object at all? Scopes are about pods only. */
const counts = ({ spec }: ResourceQuota, pod: Pod | undefined): boolean => {
  const scopes: readonly Scope[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  return scopes.every((scope) => pod !== undefined && inScope(pod, scope));
};

/** What several states of one object use at most, of what the quota limits. */
export const usageUnder = (quota: ResourceQuota, states: readonly Consumer[]): Usage => {
  const used = new Map<string, bigint>();
  for (const { usage, pod } of states) {
    if (!counts(quota, pod)) continue;
    for (const name of Object.keys(quota.spec.hard ?? {})) {
      const amount = usage.get(name);
      if (amount !== undefined && amount > (used.get(name) ?? 0n)) used.set(name, amount);
    }
  }
  return used;
};

const computed = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

const isGiven = (resources: Pod['spec']['containers'][number]['resources'], name: string): boolean => {
  const [part, resource] = name.includes('.') ? name.split('.') : ['requests', name];
  const amounts = part === 'limits' ? resources?.limits : resources?.requests;
  return amounts?.[resource ?? ''] !== undefined;
};

/** Where amounts are limited every container has to name its own: `limits.cpu for: main; …`, or undefined. */
export const unspecified = (quota: ResourceQuota, { pod }: Consumer): string | undefined => {
  if (pod === undefined || !counts(quota, pod)) return undefined;
  const { hard = {} } = quota.spec;
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const missing = computed
    .filter((name) => hard[name] !== undefined && pod.spec.resources === undefined)
    .sort()
    .flatMap((name) => {
      const without = all.filter(({ resources }) => !isGiven(resources, name)).map((one) => one.name);
      return without.length === 0 ? [] : [`${name} for: ${without.join(',')}`];
    });
  return missing.length === 0 ? undefined : missing.join('; ');
};

/** As people write it: bytes with binary suffixes. */
export const amountText = (name: string, nanos: bigint): string =>
  formatQuantity({ nanos, format: /memory|storage$/.test(name) ? 'BinarySI' : 'DecimalSI' });

/** `cpu=1,pods=2`, in the order of the names. */
export const usageText = (usage: Usage, names: readonly string[]): string =>
  [...names]
    .sort()
    .map((name) => `${name}=${amountText(name, usage.get(name) ?? 0n)}`)
    .join(',');
