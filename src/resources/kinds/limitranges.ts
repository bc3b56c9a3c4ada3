// LimitRanges: how large or small what is created in a namespace may be, and how large it is when nothing is said.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { nameColumn } from '../columns.js';
import { mapped, withChanges } from '../defaults.js';
import { child, item } from '../field-path.js';
import type { LimitRange, LimitRangeItem } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { compareQuantities, quantity } from '../quantity.js';
import type { StringMap } from '../resource.js';
import { duplicates, forbidden, invalid, notSupported, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

type Bounds = 'min' | 'defaultRequest' | 'default' | 'max' | 'maxLimitRequestRatio';

/** What each may not exceed, in the order in which Kubernetes complains. */
const order: readonly (readonly [Bounds, Bounds])[] = [
  ['min', 'max'],
  ['min', 'defaultRequest'],
  ['defaultRequest', 'max'],
  ['defaultRequest', 'default'],
  ['min', 'default'],
  ['default', 'max'],
];

const names: Readonly<Record<Bounds, string>> = {
  min: 'min value',
  max: 'max value',
  default: 'default value',
  defaultRequest: 'default request value',
  maxLimitRequestRatio: 'ratio',
};

const boundsErrors = (field: string, limit: LimitRangeItem): readonly FieldError[] =>
  order.flatMap(([low, high]) =>
    Object.entries(limit[low] ?? {}).flatMap(([resource, text]) => {
      const other = limit[high]?.[resource];
      if (other === undefined || compareQuantities(quantity(text), quantity(other)) <= 0) return [];
      return [
        invalid(
          item(child(field, low), resource),
          text,
          `${names[low]} ${text} is greater than ${names[high]} ${other}`,
        ),
      ];
    }),
  );

const one = quantity('1');

const ratioErrors = (field: string, ratios: StringMap | undefined): readonly FieldError[] =>
  Object.entries(ratios ?? {}).flatMap(([resource, text]) =>
    compareQuantities(quantity(text), one) < 0
      ? [invalid(item(child(field, 'maxLimitRequestRatio'), resource), text, `ratio ${text} is less than 1`)]
      : [],
  );

const limitTypes = ['Container', 'Pod', 'PersistentVolumeClaim'];

const limitErrors = (field: string, limit: LimitRangeItem): readonly FieldError[] => {
  const errors: FieldError[] = [];
  if (limit.type === 'Pod')
    for (const part of ['default', 'defaultRequest'] as const)
      if (Object.keys(limit[part] ?? {}).length > 0)
        errors.push(forbidden(child(field, part), `may not be specified when \`type\` is 'Pod'`));
  if (!limitTypes.includes(limit.type))
    errors.push(notSupported(child(field, 'type'), limit.type, limitTypes));
  const { min = {}, max = {} } = limit;
  if (limit.type === 'PersistentVolumeClaim' && min['storage'] === undefined && max['storage'] === undefined)
    errors.push(
      required(
        child(field, 'limits'),
        'either minimum or maximum storage value is required, but neither was provided',
      ),
    );
  return [...errors, ...boundsErrors(field, limit), ...ratioErrors(field, limit.maxLimitRequestRatio)];
};

const validate = ({ metadata, spec }: LimitRange): readonly FieldError[] => [
  ...nameErrors(metadata),
  ...duplicates(
    spec.limits,
    ({ type }) => type,
    (index) => child(item('spec.limits', index), 'type'),
  ),
  ...spec.limits.flatMap((limit, index) => limitErrors(item('spec.limits', index), limit)),
];

/** Containers without a limit of their own get the largest allowed; requests follow limits, then the least allowed. */
const defaultedItem = (limit: LimitRangeItem): LimitRangeItem => {
  if (limit.type !== 'Container') return limit;
  const limits = { ...limit.max, ...limit.default };
  const requests = { ...limit.min, ...limits, ...limit.defaultRequest };
  const filled = (map: StringMap, before: StringMap | undefined): StringMap | undefined =>
    Object.keys(map).length === 0 || equal(map, before) ? before : map;
  return withChanges(limit, {
    default: filled(limits, limit.default),
    defaultRequest: filled(requests, limit.defaultRequest),
  });
};

const createdAt: Column<LimitRange> = {
  name: 'Created At',
  type: 'date',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created, in RFC3339 form and UTC.',
  priority: 0,
  cell: ({ metadata }) => metadata.creationTimestamp,
};

export const limitranges = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.LimitRange',
  columns: [nameColumn, createdAt],
  defaulted: (range) => {
    const limits = mapped(range.spec.limits, defaultedItem);
    return limits === range.spec.limits || limits === undefined
      ? range
      : { ...range, spec: { ...range.spec, limits } };
  },
  validate,
});
