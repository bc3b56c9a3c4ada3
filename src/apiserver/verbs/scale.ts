// The `scale` subresource: replicas of a workload as an autoscaling/v1 Scale, made from the object and written back.
import { isObject } from '../../base/json.js';
import type { Scale } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { formatRequirements, requirementsOf } from '../../resources/label-selector.js';
import type { LabelSelector } from '../../resources/label-selector.js';
import { invalid as invalidField } from '../../resources/validation/field-errors.js';
import type { OpenResource } from './context.js';
import { badRequest, invalid } from './rejections.js';

const scaleKind = { group: 'autoscaling', kind: 'Scale' } as const;

const memberOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** ReplicationControllers and some custom kinds keep a plain map, the others a LabelSelector. */
const selectorText = (selector: unknown): string | undefined => {
  if (typeof selector === 'string') return selector;
  if (!isObject(selector)) return undefined;
  const isLabelSelector = 'matchLabels' in selector || 'matchExpressions' in selector;
  const labels = (isLabelSelector ? selector : { matchLabels: selector }) as LabelSelector;
  return formatRequirements(requirementsOf(labels));
};

/** Throws BadRequest for a kind without the subresource. */
export const scaleOf = (kind: Kind, object: OpenResource): Scale & OpenResource => {
  if (!kind.subresources.includes('scale')) throw badRequest(`${kind.plural} have no scale`);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = selectorText(memberOf(object['spec'], 'selector'));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberOf(memberOf(object['spec'], 'replicas')) },
    status: {
      replicas: numberOf(memberOf(object['status'], 'replicas')),
      ...(selector === undefined ? {} : { selector }),
    },
  };
};

/** The object with the replicas of a Scale; throws Invalid. A Scale without replicas asks for none, as in Kubernetes. */
export const scaled = (object: OpenResource, scale: unknown): OpenResource => {
  const replicas = memberOf(memberOf(scale, 'spec'), 'replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isSafeInteger(replicas) || replicas < 0)
    throw invalid(scaleKind, object.metadata.name, [
      invalidField('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  const spec = isObject(object['spec']) ? object['spec'] : {};
  return { ...object, spec: { ...spec, replicas } };
};
