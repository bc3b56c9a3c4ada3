// HorizontalPodAutoscalers as autoscaling/v1 shows them: kept, judged and completed as version 2.
import { equal } from '../../base/json.js';
import { autoscalerToV1, autoscalerToV2 } from '../autoscaling/version-conversion.js';
import type { HorizontalPodAutoscaler, V2HorizontalPodAutoscaler } from '../generated/types.js';
import { defineKind } from '../kind.js';
import type { Resource } from '../resource.js';
import { horizontalpodautoscalers } from './horizontalpodautoscalers.js';

const defaulted = (autoscaler: HorizontalPodAutoscaler): HorizontalPodAutoscaler => {
  const filled = autoscalerToV1(horizontalpodautoscalers.defaulted(autoscalerToV2(autoscaler)));
  return equal(filled, autoscaler) ? autoscaler : filled;
};

export const horizontalpodautoscalersV1 = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
  subresources: ['status'],
  versions: {
    storage: 'v2',
    decode: (stored: readonly Resource[]) =>
      stored.map((object) => autoscalerToV1(object as V2HorizontalPodAutoscaler)),
    encode: (object: Resource) => autoscalerToV2(object as HorizontalPodAutoscaler),
  },
  columns: horizontalpodautoscalers.columns.map((column) => ({
    ...column,
    cell: (object: HorizontalPodAutoscaler, now: number) => column.cell(autoscalerToV2(object), now),
  })),
  defaulted,
  validate: (object, old) =>
    horizontalpodautoscalers.validate(autoscalerToV2(object), old && autoscalerToV2(old)),
});
