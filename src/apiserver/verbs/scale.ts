// The `scale` subresource: replicas of a workload as an autoscaling/v1 Scale, made from the object and written back.
import { ClusterError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import type { Scale } from '../../resources/generated/types.js';
import type { Kind, ScalePaths } from '../../resources/kind.js';
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

const usualPaths: ScalePaths = {
  replicas: ['spec', 'replicas'],
  statusReplicas: ['status', 'replicas'],
  selector: ['spec', 'selector'],
};

const valueAt = (object: unknown, path: readonly string[] | undefined): unknown =>
  path?.reduce<unknown>(memberOf, object);

/** A copy with the value at the path; objects on the way are made where they are missing. */
const withValue = (object: unknown, [step, ...rest]: readonly string[], value: unknown): unknown =>
  step === undefined
    ? value
    : { ...(isObject(object) ? object : {}), [step]: withValue(memberOf(object, step), rest, value) };

/** Throws BadRequest for a kind without the subresource, and InternalError for an object without any replicas. */
export const scaleOf = (kind: Kind, object: OpenResource): Scale & OpenResource => {
  if (!kind.subresources.includes('scale')) throw badRequest(`${kind.plural} have no scale`);
  const paths = kind.scalePaths ?? usualPaths;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = selectorText(valueAt(object, paths.selector));
  const replicas = valueAt(object, paths.replicas);
  if (kind.scalePaths !== undefined && replicas === undefined)
    throw new ClusterError(
      'InternalError',
      `Internal error occurred: the spec replicas field ".${paths.replicas.join('.')}" does not exist`,
    );
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberOf(replicas) },
    status: {
      replicas: numberOf(valueAt(object, paths.statusReplicas)),
      ...(selector === undefined ? {} : { selector }),
    },
  };
};

/** The object with the replicas of a Scale; throws Invalid. A Scale without replicas asks for none, as in Kubernetes. */
export const scaled = (kind: Kind, object: OpenResource, scale: unknown): OpenResource => {
  const replicas = memberOf(memberOf(scale, 'spec'), 'replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isSafeInteger(replicas) || replicas < 0)
    throw invalid(scaleKind, object.metadata.name, [
      invalidField('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  return withValue(object, (kind.scalePaths ?? usualPaths).replicas, replicas) as OpenResource;
};
