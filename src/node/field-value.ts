// `fieldRef` and `resourceFieldRef`: what a pod may learn about itself.
import type {
  Container,
  ObjectFieldSelector,
  Pod,
  ResourceFieldSelector,
} from '../resources/generated/types.js';
import { parseQuantity } from '../resources/quantity.js';
import { amountsOf } from '../resources/pod-resources.js';

/** Facts of the pod's place that its object may not show yet. */
export interface PodPlace {
  readonly podIP: string | undefined;
  readonly hostIP: string;
  /** What the node can give: stands for limits that are not set. */
  readonly allocatable: Readonly<Record<string, string>>;
}

const quoted = (text: string): string => JSON.stringify(text);

const mapText = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${quoted(value)}`)
    .join('\n');

const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/;

/** Undefined for a field that does not exist: the API server refuses those. */
export const fieldValue = (
  pod: Pod,
  { fieldPath }: Pick<ObjectFieldSelector, 'fieldPath'>,
  place: PodPlace,
): string | undefined => {
  const { metadata, spec } = pod;
  const match = subscript.exec(fieldPath);
  if (match !== null)
    return (match[1] === 'labels' ? metadata.labels : metadata.annotations)?.[match[2] ?? ''] ?? '';
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return mapText(metadata.labels);
    case 'metadata.annotations':
      return mapText(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return place.hostIP;
    case 'status.podIP':
    case 'status.podIPs':
      return place.podIP ?? '';
    default:
      return undefined;
  }
};

/** In units of the divisor, rounded up; `cpu` counts in cores, the rest in bytes. */
export const resourceValue = (
  pod: Pod,
  { containerName, resource, divisor }: ResourceFieldSelector,
  options: { readonly container: Container | undefined; readonly place: PodPlace },
): string | undefined => {
  const container =
    containerName === undefined || containerName === ''
      ? options.container
      : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(
          ({ name }) => name === containerName,
        );
  const [, part, name = ''] = /^(limits|requests)\.(.+)$/.exec(resource) ?? [];
  if (container === undefined || part === undefined) return undefined;
  const written = container.resources?.[part as 'limits' | 'requests']?.[name];
  const fallback = part === 'limits' ? options.place.allocatable[name] : undefined;
  const amount = amountsOf({ [name]: written ?? fallback ?? '0' })[name] ?? 0;
  const nanosPerUnit = name === 'cpu' ? 1_000_000n : 1_000_000_000n;
  const by = parseQuantity(divisor === undefined || divisor === '' || divisor === '0' ? '1' : divisor)?.nanos;
  if (by === undefined || by <= 0n) return undefined;
  const nanos = BigInt(amount) * nanosPerUnit;
  return String((nanos + by - 1n) / by);
};
