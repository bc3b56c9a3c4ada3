// Rules about blue and green (argo-rollouts pkg/apis/rollouts/validation).
import type { FieldError } from '../../base/errors.js';
import { child } from '../field-path.js';
import type { RolloutBlueGreen } from '../generated/types.js';
import { countErrors, percentErrors } from '../validation/counts.js';
import { invalid, nonNegative, required } from '../validation/field-errors.js';
import { rolloutAnalysisErrors } from './validate-analysis.js';
import { antiAffinityErrors } from './validate-canary.js';

export const blueGreenErrors = (field: string, spec: RolloutBlueGreen): readonly FieldError[] => {
  const { activeService = '', previewService } = spec;
  const counts = [
    'previewReplicaCount',
    'autoPromotionSeconds',
    'scaleDownDelaySeconds',
    'scaleDownDelayRevisionLimit',
    'abortScaleDownDelaySeconds',
  ] as const;
  return [
    ...(activeService === '' ? [required(child(field, 'activeService'))] : []),
    ...(activeService !== '' && activeService === previewService
      ? [
          invalid(
            child(field, 'previewService'),
            previewService,
            'This rollout uses the same service for the active and preview services, but two different services are required.',
          ),
        ]
      : []),
    ...counts.flatMap((name) => nonNegative(child(field, name), spec[name])),
    ...countErrors(child(field, 'maxUnavailable'), spec.maxUnavailable),
    ...percentErrors(child(field, 'maxUnavailable'), spec.maxUnavailable),
    ...rolloutAnalysisErrors(child(field, 'prePromotionAnalysis'), spec.prePromotionAnalysis),
    ...rolloutAnalysisErrors(child(field, 'postPromotionAnalysis'), spec.postPromotionAnalysis),
    ...antiAffinityErrors(child(field, 'antiAffinity'), spec.antiAffinity),
  ];
};
