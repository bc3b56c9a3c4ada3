// Rules that kinds share which keep a number of equal pods running: Deployment, ReplicaSet.
import type { FieldError } from '../../base/errors.js';
import { child } from '../field-path.js';
import type { PodTemplateSpec } from '../generated/types.js';
import type { LabelSelector } from '../label-selector.js';
import { selects } from '../label-selector.js';
import { invalid, nonNegative } from '../validation/field-errors.js';
import { isEmptySelector, labelSelectorErrors } from '../validation/selectors.js';
import { alwaysTemplateErrors } from './validate-pod-spec.js';

interface Workload {
  readonly replicas?: number | undefined;
  readonly minReadySeconds?: number | undefined;
  readonly selector: LabelSelector;
  readonly template?: PodTemplateSpec | undefined;
}

/** `owner` and `article` are how messages name the kind: `ReplicaSet`, `replicaset`. */
export const workloadErrors = (
  field: string,
  { replicas, minReadySeconds, selector, template = {} }: Workload,
  { owner, article }: { readonly owner: string; readonly article: string },
): readonly FieldError[] => {
  const atSelector = child(field, 'selector');
  const inSelector = labelSelectorErrors(atSelector, selector);
  const labels = template.metadata?.labels;
  return [
    ...nonNegative(child(field, 'replicas'), replicas),
    ...nonNegative(child(field, 'minReadySeconds'), minReadySeconds),
    ...inSelector,
    ...(isEmptySelector(selector)
      ? [invalid(atSelector, selector, `empty selector is invalid for ${article}`)]
      : inSelector.length === 0 && !selects(selector, labels)
        ? [
            invalid(
              child(field, 'template.metadata.labels'),
              labels ?? null,
              '`selector` does not match template `labels`',
            ),
          ]
        : []),
    ...alwaysTemplateErrors(child(field, 'template'), template, owner),
  ];
};
