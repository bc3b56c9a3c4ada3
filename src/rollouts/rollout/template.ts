// The pod template that a rollout wants, wherever it stands, and the hash that names its version.
import { canonical } from '../../base/json.js';
import { shortHash } from '../../reconcile/hash.js';
import type {
  LabelSelector,
  PodTemplateSpec,
  Rollout,
  RolloutAntiAffinity,
} from '../../resources/generated/types.js';
import type { Resource } from '../../resources/resource.js';
import { versionLabel } from '../../resources/rollouts/service-version.js';

/** A workload whose template a rollout uses. */
export interface Workload extends Resource {
  readonly spec: {
    readonly replicas?: number | undefined;
    readonly selector: LabelSelector;
    readonly template?: PodTemplateSpec | undefined;
  };
}

export interface Source {
  readonly template: PodTemplateSpec;
  readonly selector: LabelSelector;
}

/** Undefined while the workload that holds the template is not there. */
export const sourceOf = ({ spec }: Rollout, workload: Workload | undefined): Source | undefined => {
  const template = spec.workloadRef === undefined ? spec.template : workload?.spec.template;
  const selector = spec.selector ?? workload?.spec.selector;
  return template === undefined || selector === undefined ? undefined : { template, selector };
};

/** `config` is what the ConfigMaps and Secrets contain that the template names, as far as they are versioned with it. */
export const templateHash = (
  { template }: Source,
  config: string,
  collisionCount: number | undefined,
): string => shortHash(10, canonical(template), config, collisionCount ?? 0);

export const stepHash = ({ spec }: Rollout): string =>
  shortHash(10, canonical(spec.strategy?.canary?.steps ?? []));

/** Keeps pods of the new version off nodes with pods of the good one. */
export const withAntiAffinity = (
  template: PodTemplateSpec,
  affinity: RolloutAntiAffinity | undefined,
  stable: string,
): PodTemplateSpec => {
  if (affinity === undefined || stable === '' || template.spec === undefined) return template;
  const term = {
    labelSelector: { matchExpressions: [{ key: versionLabel, operator: 'In', values: [stable] }] },
    topologyKey: 'kubernetes.io/hostname',
  };
  const given = template.spec.affinity?.podAntiAffinity;
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution;
  const podAntiAffinity =
    preferred === undefined
      ? {
          ...given,
          requiredDuringSchedulingIgnoredDuringExecution: [
            ...(given?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
            term,
          ],
        }
      : {
          ...given,
          preferredDuringSchedulingIgnoredDuringExecution: [
            ...(given?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
            { weight: preferred.weight, podAffinityTerm: term },
          ],
        };
  return {
    ...template,
    spec: { ...template.spec, affinity: { ...template.spec.affinity, podAntiAffinity } },
  };
};
