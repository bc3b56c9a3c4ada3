// The config maps and secrets that a pod refers to, by its volumes, its environment and its images.
import type { Container, Pod, Volume } from '../resources/generated/types.js';
import { claimNamesOf } from '../resources/storage/binding.js';
import type { Reference, References } from './pod-source.js';
import { referenceKey } from './pod-source.js';

type Named = readonly [kind: Reference['kind'], name: string | undefined];

const ofContainer = ({ env, envFrom }: Pick<Container, 'env' | 'envFrom'>): readonly Named[] => [
  ...(env ?? []).flatMap(({ valueFrom }): readonly Named[] => [
    ['ConfigMap', valueFrom?.configMapKeyRef?.name],
    ['Secret', valueFrom?.secretKeyRef?.name],
  ]),
  ...(envFrom ?? []).flatMap(({ configMapRef, secretRef }): readonly Named[] => [
    ['ConfigMap', configMapRef?.name],
    ['Secret', secretRef?.name],
  ]),
];

const ofVolume = ({ configMap, secret, projected }: Volume): readonly Named[] => [
  ['ConfigMap', configMap?.name],
  ['Secret', secret?.secretName],

  ...(projected?.sources ?? []).flatMap((source): readonly Named[] => [
    ['ConfigMap', source.configMap?.name],
    ['Secret', source.secret?.name],
  ]),
];

/** The claims and, of those that are bound, the volumes. */
const claimed = (pod: Pod, references: Pick<References, 'claim'>): readonly Reference[] => {
  const namespace = pod.metadata.namespace ?? '';
  return claimNamesOf(pod).flatMap((name): readonly Reference[] => {
    const claim = references.claim(namespace, name);
    const volume = claim.state === 'present' ? (claim.object.spec.volumeName ?? '') : '';
    const own: Reference = { kind: 'PersistentVolumeClaim', namespace, name };
    return volume === '' ? [own] : [own, { kind: 'PersistentVolume', namespace: '', name: volume }];
  });
};

export const podReferences = (pod: Pod, references: Pick<References, 'claim'>): readonly Reference[] => {
  const { metadata, spec } = pod;
  const namespace = metadata.namespace ?? '';
  const all = [
    ...(spec.initContainers ?? []).flatMap(ofContainer),
    ...spec.containers.flatMap(ofContainer),
    ...(spec.ephemeralContainers ?? []).flatMap(ofContainer),
    ...(spec.imagePullSecrets ?? []).map(({ name }): Named => ['Secret', name]),
    ...(spec.volumes ?? []).flatMap(ofVolume),
  ];
  const distinct = new Map<string, Reference>();
  for (const [kind, name] of all) {
    if (name === undefined || name === '') continue;
    const reference = { kind, namespace, name };
    distinct.set(referenceKey(reference), reference);
  }
  for (const reference of claimed(pod, references)) distinct.set(referenceKey(reference), reference);
  return [...distinct.values()];
};
