// RuntimeClasses: how the containers of a pod are run.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import type { RuntimeClass } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { resourceErrors } from '../pod-template/validate-resources.js';
import { tolerationsErrors } from '../pod-template/validate-scheduling.js';
import { allInvalid, immutable } from '../validation/field-errors.js';
import { labelErrors, nameErrors } from '../validation/metadata.js';
import { dnsLabelErrors } from '../validation/names.js';

const validate = (
  { metadata, handler, overhead, scheduling }: RuntimeClass,
  old: RuntimeClass | undefined,
): readonly FieldError[] => [
  ...nameErrors(metadata),
  ...allInvalid('handler', handler, dnsLabelErrors(handler)),
  ...resourceErrors('overhead', { limits: overhead?.podFixed }),
  ...labelErrors('scheduling.nodeSelector', scheduling?.nodeSelector),
  ...tolerationsErrors('scheduling.tolerations', scheduling?.tolerations),
  ...(old !== undefined && handler !== old.handler ? [immutable('handler', handler)] : []),
];

export const runtimeclasses = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  definition: 'io.k8s.api.node.v1.RuntimeClass',
  columns: [nameColumn, text('Handler', 'What runs the containers.', ({ handler }) => handler), ageColumn],
  validate,
});
