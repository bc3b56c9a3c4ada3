// What would change in an object, field by field, as people read it.
import { equal, isObject } from '../base/json.js';
import type { Resource } from '../resources/resource.js';

export interface FieldDifference {
  /** `spec.template.spec.containers[web].image`; an element with a name is called by it. */
  readonly field: string;
  /** Undefined: the field is not there. */
  readonly from?: unknown;
  readonly to?: unknown;
}

/** The API server's own bookkeeping, which differs with every write. */
const bookkeeping: ReadonlySet<string> = new Set([
  'metadata.uid',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.creationTimestamp',
  'metadata.managedFields',
  'metadata.selfLink',
  'metadata.annotations.kubectl.kubernetes.io/last-applied-configuration',
  'metadata.annotations.deployment.kubernetes.io/revision',
  'status',
]);

const hidden = '(hidden)';

const namesOf = (list: readonly unknown[]): readonly string[] | undefined => {
  const names = list.map((item) => (isObject(item) ? item['name'] : undefined));
  if (!names.every((name): name is string => typeof name === 'string')) return undefined;
  return new Set(names).size === names.length ? names : undefined;
};

const compareLists = (
  a: readonly unknown[],
  b: readonly unknown[],
  field: string,
  found: FieldDifference[],
): void => {
  const before = namesOf(a);
  const after = namesOf(b);
  if (before === undefined || after === undefined) {
    const length = Math.max(a.length, b.length);
    for (let index = 0; index < length; index += 1)
      compare(a[index], b[index], `${field}[${String(index)}]`, found);
    return;
  }
  for (const name of new Set([...before, ...after]))
    compare(a[before.indexOf(name)], b[after.indexOf(name)], `${field}[${name}]`, found);
};

const compare = (a: unknown, b: unknown, field: string, found: FieldDifference[]): void => {
  if (bookkeeping.has(field) || equal(a, b)) return;
  if (isObject(a) && isObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      compare(a[key], b[key], field === '' ? key : `${field}.${key}`, found);
    return;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    compareLists(a, b, field, found);
    return;
  }
  found.push({ field, ...(a === undefined ? {} : { from: a }), ...(b === undefined ? {} : { to: b }) });
};

const isSecret = ({ apiVersion, kind }: Resource): boolean => apiVersion === 'v1' && kind === 'Secret';

/** A Secret's values are never shown, only that they change. */
const conceal = (difference: FieldDifference): FieldDifference => ({
  field: difference.field,
  ...('from' in difference ? { from: hidden } : {}),
  ...('to' in difference ? { to: hidden } : {}),
});

/** Empty when `after` would change nothing that anyone wrote. */
export const differences = (before: Resource, after: Resource): readonly FieldDifference[] => {
  const found: FieldDifference[] = [];
  compare(before, after, '', found);
  return isSecret(before)
    ? found.map((difference) =>
        /^(string)?data(\.|$)/i.test(difference.field) ? conceal(difference) : difference,
      )
    : found;
};

/** Whether two states of one object say the same, bookkeeping and status aside: cheap, for every change that is seen. */
export const sameIntent = (a: Resource, b: Resource): boolean => {
  if (a === b) return true;
  const left = a as unknown as Record<string, unknown>;
  const right = b as unknown as Record<string, unknown>;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (key === 'status' || key === 'metadata') continue;
    if (left[key] !== right[key] && !equal(left[key], right[key])) return false;
  }
  const [from, to] = [a.metadata, b.metadata];
  return (
    from.uid === to.uid &&
    from.deletionTimestamp === to.deletionTimestamp &&
    equal(from.labels, to.labels) &&
    equal(from.annotations, to.annotations) &&
    equal(from.ownerReferences, to.ownerReferences) &&
    equal(from.finalizers, to.finalizers)
  );
};
