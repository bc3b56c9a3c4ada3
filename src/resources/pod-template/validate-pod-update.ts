// What may change in a pod that exists: little more than its images.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import type { PodSpec, Toleration } from '../generated/types.js';
import { forbidden, invalid } from '../validation/field-errors.js';

/** Fields whose difference is judged by rules of their own. */
const judgedApart: ReadonlySet<string> = new Set([
  'containers',
  'initContainers',
  'ephemeralContainers',
  'activeDeadlineSeconds',
  'tolerations',
  'terminationGracePeriodSeconds',
  'schedulingGates',
]);

const rule =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

type List = 'containers' | 'initContainers';

const changedIn = (list: List, spec: PodSpec, old: PodSpec): readonly string[] => {
  const before = old[list] ?? [];
  return (spec[list] ?? []).flatMap((container, index) => {
    const previous = before[index];
    return previous !== undefined && equal({ ...container, image: '' }, { ...previous, image: '' })
      ? []
      : [`spec.${list}[${String(index)}]`];
  });
};

/** How long a toleration lasts may change. */
const sameToleration = (a: Toleration, b: Toleration): boolean =>
  equal({ ...a, tolerationSeconds: undefined }, { ...b, tolerationSeconds: undefined });

const deadlineErrors = (spec: PodSpec, old: PodSpec): readonly FieldError[] => {
  const [next, before] = [spec.activeDeadlineSeconds, old.activeDeadlineSeconds];
  const field = 'spec.activeDeadlineSeconds';
  if (before === undefined || next === before) return [];
  if (next === undefined)
    return [invalid(field, null, 'must not update from a positive integer to nil value')];
  return next > before ? [invalid(field, next, 'must be less than or equal to previous value')] : [];
};

/** The fields that changed are named after Kubernetes' own sentence. */
export const podUpdateErrors = (spec: PodSpec, old: PodSpec): readonly FieldError[] => {
  const errors: FieldError[] = [];
  for (const list of ['containers', 'initContainers'] as const)
    if ((spec[list] ?? []).length !== (old[list] ?? []).length)
      errors.push(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'));
  if (errors.length > 0) return errors;
  const members = new Set([...Object.keys(spec), ...Object.keys(old)] as (keyof PodSpec)[]);
  const grace = spec.terminationGracePeriodSeconds;
  const graceMayChange = (old.terminationGracePeriodSeconds ?? 0) < 0 && grace === 1;
  const changed = [
    ...changedIn('containers', spec, old),
    ...changedIn('initContainers', spec, old),
    ...[...members]
      .filter((member) => !judgedApart.has(member) && !equal(spec[member], old[member]))
      .map((member) => `spec.${member}`),
    ...(grace === old.terminationGracePeriodSeconds || graceMayChange
      ? []
      : ['spec.terminationGracePeriodSeconds']),
  ];
  if (changed.length > 0) errors.push(forbidden('spec', `${rule}: ${changed.join(', ')} changed`));
  const lost = (old.tolerations ?? []).some(
    (toleration) => !(spec.tolerations ?? []).some((other) => sameToleration(toleration, other)),
  );
  if (lost)
    errors.push(
      forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
    );
  const gates = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  for (const { name } of spec.schedulingGates ?? [])
    if (!gates.has(name))
      errors.push(
        forbidden(
          'spec.schedulingGates',
          `only deletion is allowed, but found new scheduling gate '${name}'`,
        ),
      );
  return [...errors, ...deadlineErrors(spec, old)];
};
