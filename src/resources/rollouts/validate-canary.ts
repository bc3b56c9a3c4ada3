// Rules about a canary and its steps (argo-rollouts pkg/apis/rollouts/validation).
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type {
  RolloutAntiAffinity,
  RolloutCanary,
  RolloutCanaryStep,
  RolloutExperimentStep,
} from '../generated/types.js';
import { parseSeconds } from '../go-duration.js';
import { countErrors, isNothing, percentErrors } from '../validation/counts.js';
import { forbidden, invalid, nonNegative, oneOf, required } from '../validation/field-errors.js';
import { kindsOfStep } from './step-kinds.js';
import { fullWeight, isTrafficRouted } from './strategy-of.js';
import { durationErrors, rolloutAnalysisErrors } from './validate-analysis.js';

export const antiAffinityErrors = (
  field: string,
  affinity: RolloutAntiAffinity | undefined,
): readonly FieldError[] => {
  if (affinity === undefined) return [];
  const { preferredDuringSchedulingIgnoredDuringExecution: preferred } = affinity;
  const wanted = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if ((preferred === undefined) === (wanted === undefined))
    return [
      invalid(
        field,
        affinity,
        'must have exactly one of requiredDuringSchedulingIgnoredDuringExecution and preferredDuringSchedulingIgnoredDuringExecution',
      ),
    ];
  return preferred !== undefined && (preferred.weight < 1 || preferred.weight > 100)
    ? [
        invalid(
          child(field, 'preferredDuringSchedulingIgnoredDuringExecution.weight'),
          preferred.weight,
          'must be in the range 1-100',
        ),
      ]
    : [];
};

const between = (field: string, value: number | undefined, most: number): readonly FieldError[] =>
  value !== undefined && (value < 0 || value > most)
    ? [invalid(field, value, `must be between 0 and ${String(most)}`)]
    : [];

const experimentErrors = (field: string, step: RolloutExperimentStep): readonly FieldError[] => {
  const templates = step.templates ?? [];
  return [
    ...(templates.length === 0 ? [required(child(field, 'templates'))] : []),
    ...templates.flatMap(({ name = '', specRef }, index) => {
      const at = item(child(field, 'templates'), index);
      return [
        ...(name === '' ? [required(child(at, 'name'))] : []),
        ...(specRef === undefined ? [required(child(at, 'specRef'))] : []),
        ...oneOf(child(at, 'specRef'), specRef, ['stable', 'canary']),
      ];
    }),
    ...durationErrors(child(field, 'duration'), step.duration),
    ...(step.analyses ?? []).flatMap(({ templateName = '' }, index) =>
      templateName === '' ? [required(child(item(child(field, 'analyses'), index), 'templateName'))] : [],
    ),
  ];
};

/** What a route by headers or a mirror needs is not there: connections are split, requests are not read. */
const unreadable = (what: string): string =>
  `${what} needs a router that reads HTTP; the service proxy splits connections by weight: use setWeight`;

interface StepScope {
  readonly routed: boolean;
  readonly most: number;
}

const stepErrors = (field: string, step: RolloutCanaryStep, scope: StepScope): readonly FieldError[] => {
  const kinds = kindsOfStep(step);
  if (kinds.length !== 1)
    return [
      invalid(
        field,
        kinds.join(', '),
        'must have exactly one of setWeight, pause, setCanaryScale, analysis, experiment',
      ),
    ];
  const { pause, setCanaryScale: scale } = step;
  const duration = pause?.duration === undefined ? 0 : parseSeconds(pause.duration);
  const at = child(field, 'setCanaryScale');
  return [
    ...between(child(field, 'setWeight'), step.setWeight, scope.most),
    ...(duration === undefined || duration < 0
      ? [
          invalid(
            child(field, 'pause.duration'),
            pause?.duration,
            'must be a count of seconds or a duration such as 30s, 5m or 1h',
          ),
        ]
      : []),
    ...(scale === undefined
      ? []
      : [
          ...(scope.routed ? [] : [invalid(at, scale, 'requires trafficRouting to be set')]),
          ...nonNegative(child(at, 'replicas'), scale.replicas),
          ...between(child(at, 'weight'), scale.weight, scope.most),
        ]),
    ...rolloutAnalysisErrors(child(field, 'analysis'), step.analysis),
    ...(step.experiment === undefined ? [] : experimentErrors(child(field, 'experiment'), step.experiment)),
    ...(step.setHeaderRoute === undefined
      ? []
      : [forbidden(child(field, 'setHeaderRoute'), unreadable('a route by headers'))]),
    ...(step.setMirrorRoute === undefined
      ? []
      : [forbidden(child(field, 'setMirrorRoute'), unreadable('a mirror'))]),
    ...(step.plugin === undefined ? [] : [forbidden(child(field, 'plugin'), 'there are no step plugins')]),
  ];
};

const serviceErrors = (field: string, canary: RolloutCanary): readonly FieldError[] => {
  const { canaryService = '', stableService = '', pingPong, trafficRouting } = canary;
  if (pingPong !== undefined) {
    const { pingService = '', pongService = '' } = pingPong;
    if (pingService === '' || pongService === '' || pingService === pongService)
      return [invalid(child(field, 'pingPong'), pingPong, 'must name two different services')];
    return canaryService !== '' || stableService !== ''
      ? [
          invalid(
            child(field, 'pingPong'),
            pingPong,
            'may not be given together with canaryService and stableService',
          ),
        ]
      : [];
  }
  if (canaryService !== '' && canaryService === stableService)
    return [
      invalid(
        child(field, 'stableService'),
        stableService,
        'This rollout uses the same service for the stable and canary services, but two different services are required.',
      ),
    ];
  if (trafficRouting === undefined) return [];
  return [
    ...(canaryService === '' ? [required(child(field, 'canaryService'), 'trafficRouting needs it')] : []),
    ...(stableService === '' ? [required(child(field, 'stableService'), 'trafficRouting needs it')] : []),
  ];
};

/** What only makes sense where the proxy carries the weights. */
const routedOnly = (field: string, canary: RolloutCanary): readonly FieldError[] => {
  const names = ['dynamicStableScale', 'minPodsPerReplicaSet', 'abortScaleDownDelaySeconds'] as const;
  return names
    .filter((name) => canary[name] !== undefined && canary[name] !== false)
    .map((name) => invalid(child(field, name), canary[name], 'can only be used with traffic routing'));
};

const surgeErrors = (field: string, { maxSurge, maxUnavailable }: RolloutCanary): readonly FieldError[] => {
  const at = child(field, 'maxUnavailable');
  return [
    ...countErrors(child(field, 'maxSurge'), maxSurge),
    ...countErrors(at, maxUnavailable),
    ...percentErrors(at, maxUnavailable),
    ...(maxSurge !== undefined &&
    maxUnavailable !== undefined &&
    isNothing(maxSurge) &&
    isNothing(maxUnavailable)
      ? [invalid(at, maxUnavailable, 'maxSurge and maxUnavailable both can not be zero')]
      : []),
  ];
};

export const canaryErrors = (field: string, canary: RolloutCanary): readonly FieldError[] => {
  const routed = isTrafficRouted(canary);
  const most = fullWeight(canary);
  const { replicaProgressThreshold: threshold } = canary;
  return [
    ...serviceErrors(field, canary),
    ...surgeErrors(field, canary),
    ...(most < 1
      ? [invalid(child(field, 'trafficRouting.maxTrafficWeight'), most, 'must be at least 1')]
      : []),
    ...(routed ? [] : routedOnly(field, canary)),
    ...(canary.dynamicStableScale === true && canary.scaleDownDelaySeconds !== undefined
      ? [
          invalid(
            child(field, 'dynamicStableScale'),
            true,
            'Canary dynamicStableScale can not be used with scaleDownDelaySeconds',
          ),
        ]
      : []),
    ...nonNegative(child(field, 'scaleDownDelaySeconds'), canary.scaleDownDelaySeconds),
    ...nonNegative(child(field, 'abortScaleDownDelaySeconds'), canary.abortScaleDownDelaySeconds),
    ...nonNegative(child(field, 'minPodsPerReplicaSet'), canary.minPodsPerReplicaSet),
    ...oneOf(child(field, 'replicaProgressThreshold.type'), threshold?.type, ['Percent', 'Pods']),
    ...(canary.steps ?? []).flatMap((step, index) =>
      stepErrors(item(child(field, 'steps'), index), step, { routed, most }),
    ),
    ...rolloutAnalysisErrors(child(field, 'analysis'), canary.analysis),
    ...antiAffinityErrors(child(field, 'antiAffinity'), canary.antiAffinity),
  ];
};
