// Rules about where a pod may run: node selectors, affinity, tolerations, spreading.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from '../generated/types.js';
import { allInvalid, duplicate, forbidden, invalid, oneOf, required } from '../validation/field-errors.js';
import { labelErrors } from '../validation/metadata.js';
import { qualifiedNameErrors } from '../validation/names.js';
import { labelSelectorErrors } from '../validation/selectors.js';

const requirementErrors = (field: string, requirement: NodeSelectorRequirement): readonly FieldError[] => {
  const { key, operator, values = [] } = requirement;
  const at = child(field, 'values');
  const errors: FieldError[] = [];
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0)
      errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      errors.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else errors.push(invalid(child(field, 'operator'), operator, 'not a valid selector operator'));
  return [...errors, ...allInvalid(child(field, 'key'), key, qualifiedNameErrors(key))];
};

const termErrors = (field: string, term: NodeSelectorTerm): readonly FieldError[] => [
  ...(term.matchExpressions ?? []).flatMap((requirement, index) =>
    requirementErrors(item(child(field, 'matchExpressions'), index), requirement),
  ),
  ...(term.matchFields ?? []).flatMap(({ key, operator, values = [] }, index) => {
    const at = item(child(field, 'matchFields'), index);
    return [
      ...(operator === 'In' || operator === 'NotIn'
        ? values.length === 1
          ? []
          : [
              required(
                child(at, 'values'),
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
              ),
            ]
        : [invalid(child(at, 'operator'), operator, 'not a valid selector operator')]),
      ...(key === 'metadata.name' ? [] : [invalid(child(at, 'key'), key, 'not a valid field selector key')]),
    ];
  }),
];

const weightErrors = (field: string, weight: number): readonly FieldError[] =>
  weight < 1 || weight > 100 ? [invalid(child(field, 'weight'), weight, 'must be in the range 1-100')] : [];

export const nodeSelectorErrors = (
  field: string,
  { nodeSelectorTerms: terms }: NodeSelector,
): readonly FieldError[] => {
  const at = child(field, 'nodeSelectorTerms');
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')];
  return terms.flatMap((term, index) => termErrors(item(at, index), term));
};

const nodeAffinityErrors = (field: string, affinity: NodeAffinity): readonly FieldError[] => {
  const { requiredDuringSchedulingIgnoredDuringExecution: needed } = affinity;
  const atPreferred = child(field, 'preferredDuringSchedulingIgnoredDuringExecution');
  return [
    ...(needed === undefined
      ? []
      : nodeSelectorErrors(child(field, 'requiredDuringSchedulingIgnoredDuringExecution'), needed)),
    ...(affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
      ({ weight, preference }, index) => [
        ...weightErrors(item(atPreferred, index), weight),
        ...termErrors(child(item(atPreferred, index), 'preference'), preference),
      ],
    ),
  ];
};

const podTermErrors = (field: string, term: PodAffinityTerm): readonly FieldError[] => [
  ...labelSelectorErrors(child(field, 'labelSelector'), term.labelSelector),
  ...labelSelectorErrors(child(field, 'namespaceSelector'), term.namespaceSelector),
  ...(term.topologyKey === ''
    ? [required(child(field, 'topologyKey'), 'can not be empty')]
    : allInvalid(child(field, 'topologyKey'), term.topologyKey, qualifiedNameErrors(term.topologyKey))),
];

/** Anti-affinity has the same shape. */
const podAffinityErrors = (field: string, affinity: PodAffinity): readonly FieldError[] => {
  const atRequired = child(field, 'requiredDuringSchedulingIgnoredDuringExecution');
  const atPreferred = child(field, 'preferredDuringSchedulingIgnoredDuringExecution');
  return [
    ...(affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, index) =>
      podTermErrors(item(atRequired, index), term),
    ),
    ...(affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
      ({ weight, podAffinityTerm }, index) => [
        ...weightErrors(item(atPreferred, index), weight),
        ...podTermErrors(child(item(atPreferred, index), 'podAffinityTerm'), podAffinityTerm),
      ],
    ),
  ];
};

const affinityErrors = (field: string, affinity: Affinity): readonly FieldError[] => [
  ...(affinity.nodeAffinity ? nodeAffinityErrors(child(field, 'nodeAffinity'), affinity.nodeAffinity) : []),
  ...(affinity.podAffinity ? podAffinityErrors(child(field, 'podAffinity'), affinity.podAffinity) : []),
  ...(affinity.podAntiAffinity
    ? podAffinityErrors(child(field, 'podAntiAffinity'), affinity.podAntiAffinity)
    : []),
];

/** Effects of taints, and of the tolerations that meet them. */
export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

const tolerationErrors = (field: string, toleration: Toleration): readonly FieldError[] => {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  return [
    ...(key === '' ? [] : allInvalid(child(field, 'key'), key, qualifiedNameErrors(key))),
    ...(key === '' && operator !== 'Exists'
      ? [
          invalid(
            child(field, 'operator'),
            operator,
            'operator must be Exists when `key` is empty, which means "match all values and all keys"',
          ),
        ]
      : []),
    ...(tolerationSeconds !== undefined && effect !== 'NoExecute'
      ? [
          invalid(
            child(field, 'effect'),
            effect,
            "effect must be 'NoExecute' when `tolerationSeconds` is set",
          ),
        ]
      : []),
    ...(operator === 'Exists' && value !== ''
      ? [invalid(child(field, 'operator'), value, "value must be empty when `operator` is 'Exists'")]
      : []),
    ...(operator === '' ? [] : oneOf(child(field, 'operator'), operator, ['Equal', 'Exists'])),
    ...(effect === '' ? [] : oneOf(child(field, 'effect'), effect, taintEffects)),
  ];
};

const spreadErrors = (
  field: string,
  constraints: readonly TopologySpreadConstraint[],
): readonly FieldError[] => {
  const seen = new Set<string>();
  return constraints.flatMap(
    ({ maxSkew, topologyKey, whenUnsatisfiable, minDomains, labelSelector }, index) => {
      const at = item(field, index);
      const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
      const taken = seen.has(pair);
      seen.add(pair);
      return [
        ...(maxSkew <= 0 ? [invalid(child(at, 'maxSkew'), maxSkew, 'must be greater than zero')] : []),
        ...(topologyKey === '' ? [required(child(at, 'topologyKey'), 'can not be empty')] : []),
        ...oneOf(child(at, 'whenUnsatisfiable'), whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']),
        ...(minDomains !== undefined && minDomains <= 0
          ? [invalid(child(at, 'minDomains'), minDomains, 'must be greater than zero')]
          : []),
        ...labelSelectorErrors(child(at, 'labelSelector'), labelSelector),
        ...(taken ? [duplicate(child(at, '{topologyKey, whenUnsatisfiable}'), pair)] : []),
      ];
    },
  );
};

export const tolerationsErrors = (
  field: string,
  tolerations: readonly Toleration[] | undefined = [],
): readonly FieldError[] =>
  tolerations.flatMap((toleration, index) => tolerationErrors(item(field, index), toleration));

export const schedulingErrors = (field: string, spec: PodSpec): readonly FieldError[] => [
  ...labelErrors(child(field, 'nodeSelector'), spec.nodeSelector),
  ...(spec.affinity ? affinityErrors(child(field, 'affinity'), spec.affinity) : []),
  ...tolerationsErrors(child(field, 'tolerations'), spec.tolerations),
  ...spreadErrors(child(field, 'topologySpreadConstraints'), spec.topologySpreadConstraints ?? []),
];
