// Pods of a StatefulSet by their ordinals: names, what each is made of, and which revision it should have.
import type { Pod, PodTemplateSpec, StatefulSet } from '../../resources/generated/types.js';
import type { Draft } from '../../resources/resource.js';
import { revisionHashLabel } from '../controller-revisions.js';
import { podOf } from '../pod-actions.js';
import { claimName, claimTemplatesOf } from './claims.js';

export const podNameLabel = 'statefulset.kubernetes.io/pod-name';
export const podIndexLabel = 'apps.kubernetes.io/pod-index';

export const podName = ({ metadata }: StatefulSet, ordinal: number): string => `${metadata.name}-${ordinal}`;

/** Undefined for a name that is none of the set's: such a pod is not adopted. */
export const ordinalOf = ({ metadata }: StatefulSet, name: string): number | undefined => {
  const match = /^(.*)-(0|[1-9]\d*)$/.exec(name);
  return match?.[1] === metadata.name ? Number(match[2]) : undefined;
};

export interface Range {
  readonly start: number;
  /** First ordinal behind the last. */
  readonly end: number;
}

export const rangeOf = ({ spec }: StatefulSet): Range => {
  const start = spec.ordinals?.start ?? 0;
  return { start, end: start + (spec.replicas ?? 1) };
};

/** Name of the revision that a pod was made of. */
export const revisionOf = ({ metadata }: Pod): string => metadata.labels?.[revisionHashLabel] ?? '';

export interface Revisions {
  /** Name and template of what is being replaced; the same as `update` when nothing is. */
  readonly current: string;
  readonly currentTemplate: PodTemplateSpec;
  readonly update: string;
}

/** Ordinals below the partition keep what they have. */
export const wantedRevision = (set: StatefulSet, ordinal: number, revisions: Revisions): string => {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec.updateStrategy ?? {};
  const first = rangeOf(set).start + (rollingUpdate?.partition ?? 0);
  return type === 'RollingUpdate' && ordinal < first ? revisions.current : revisions.update;
};

export const podDraft = (set: StatefulSet, ordinal: number, revisions: Revisions): Draft<Pod> => {
  const revision = wantedRevision(set, ordinal, revisions);
  const template = revision === revisions.update ? set.spec.template : revisions.currentTemplate;
  const name = podName(set, ordinal);
  const claims = claimTemplatesOf(set).map(({ metadata }) => metadata.name);
  const volumes = [
    ...(template.spec?.volumes ?? []).filter((volume) => !claims.includes(volume.name)),
    ...claims.map((claim) => ({
      name: claim,
      persistentVolumeClaim: { claimName: claimName(set, claim, ordinal) },
    })),
  ];
  return podOf(set, template, {
    name,
    labels: { [podNameLabel]: name, [podIndexLabel]: String(ordinal), [revisionHashLabel]: revision },
    spec: {
      hostname: name,
      ...((set.spec.serviceName ?? '') === '' ? {} : { subdomain: set.spec.serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  });
};
