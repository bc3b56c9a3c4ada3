// Rules about how fast an autoscaler may move (Kubernetes' pkg/apis/autoscaling/validation).
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type {
  HorizontalPodAutoscalerBehavior,
  HPAScalingPolicy,
  HPAScalingRules,
} from '../generated/types.js';
import { parseQuantity } from '../quantity.js';
import { invalid, oneOf, required } from '../validation/field-errors.js';

/** In seconds. */
const longest = { window: 3600, period: 1800 };

const between = (
  field: string,
  value: number,
  [least, most]: readonly [number, number],
): readonly FieldError[] => {
  if (value < least)
    return [
      invalid(
        field,
        value,
        least === 0 ? 'must be greater than or equal to zero' : 'must be greater than zero',
      ),
    ];
  return value > most ? [invalid(field, value, `must be less than or equal to ${String(most)}`)] : [];
};

const policyErrors = (
  field: string,
  { type, value, periodSeconds }: HPAScalingPolicy,
): readonly FieldError[] => [
  ...oneOf(child(field, 'type'), type, ['Percent', 'Pods']),
  ...between(child(field, 'value'), value, [1, Number.MAX_SAFE_INTEGER]),
  ...between(child(field, 'periodSeconds'), periodSeconds, [1, longest.period]),
];

const rulesErrors = (field: string, rules: HPAScalingRules): readonly FieldError[] => {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  const atPolicies = child(field, 'policies');
  return [
    ...(window === undefined
      ? []
      : between(child(field, 'stabilizationWindowSeconds'), window, [0, longest.window])),
    ...oneOf(child(field, 'selectPolicy'), selectPolicy, ['Disabled', 'Max', 'Min']),
    ...(policies.length === 0 ? [required(atPolicies, 'must specify at least one Policy')] : []),
    ...policies.flatMap((policy, index) => policyErrors(item(atPolicies, index), policy)),
    ...(tolerance !== undefined && (parseQuantity(tolerance)?.nanos ?? 0n) < 0n
      ? [invalid(child(field, 'tolerance'), tolerance, 'must be greater than or equal to 0')]
      : []),
  ];
};

export const behaviorErrors = (
  field: string,
  { scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior,
): readonly FieldError[] => [
  ...(scaleUp === undefined ? [] : rulesErrors(child(field, 'scaleUp'), scaleUp)),
  ...(scaleDown === undefined ? [] : rulesErrors(child(field, 'scaleDown'), scaleDown)),
];
