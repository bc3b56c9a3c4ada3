// Rules about label selectors inside objects.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type { LabelSelector } from '../label-selector.js';
import { allInvalid, forbidden, invalid, required } from './field-errors.js';
import { labelErrors } from './metadata.js';
import { labelValueErrors, qualifiedNameErrors } from './names.js';

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

const expressionErrors = (
  field: string,
  { key, operator, values = [] }: Expression,
): readonly FieldError[] => {
  const errors: FieldError[] = [];
  const at = child(field, 'values');
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0)
        errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      break;
    default:
      errors.push(invalid(child(field, 'operator'), operator, 'not a valid selector operator'));
  }
  return [
    ...errors,
    ...allInvalid(child(field, 'key'), key, qualifiedNameErrors(key)),
    ...values.flatMap((value, index) => allInvalid(item(at, index), value, labelValueErrors(value))),
  ];
};

export const labelSelectorErrors = (
  field: string,
  selector: LabelSelector | undefined,
): readonly FieldError[] => [
  ...labelErrors(child(field, 'matchLabels'), selector?.matchLabels),
  ...(selector?.matchExpressions ?? []).flatMap((expression, index) =>
    expressionErrors(item(child(field, 'matchExpressions'), index), expression),
  ),
];

export const isEmptySelector = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
