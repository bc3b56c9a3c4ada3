// The number of pods that an autoscaler decides is not Git's to put back.
import type { View } from '../client/view.js';
import { horizontalpodautoscalers } from '../resources/kinds/horizontalpodautoscalers.js';
import type { ApplicationSpec } from './cluster-config.js';

/** With `spec.replicas` of everything that is scaled by an autoscaler among the differences that are let be. */
export const lettingScale = <Spec extends Pick<ApplicationSpec, 'ignoreDifferences'>>(
  spec: Spec,
  view: View,
): Spec => {
  const scaled = view.list(horizontalpodautoscalers).map(({ metadata, spec: { scaleTargetRef } }) => ({
    kind: scaleTargetRef.kind,
    name: scaleTargetRef.name,
    namespace: metadata.namespace ?? '',
    jsonPointers: ['/spec/replicas'],
  }));
  return scaled.length === 0 ? spec : { ...spec, ignoreDifferences: [...spec.ignoreDifferences, ...scaled] };
};
