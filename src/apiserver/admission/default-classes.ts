// Claims and Ingresses that name no class get the cluster's default one, as it is when they are made.
// Follows kubernetes `plugin/pkg/admission/storage/storageclass/setdefault` and `network/defaultingressclass`.
import type { Ingress, PersistentVolumeClaim } from '../../resources/generated/types.js';
import { ingressclasses } from '../../resources/kinds/ingressclasses.js';
import { storageclasses } from '../../resources/kinds/storageclasses.js';
import type { Resource } from '../../resources/resource.js';
import { forbidden } from '../verbs/rejections.js';
import type { Admission } from './admission.js';

/** Of several defaults the newest counts; of equally new ones the first by name. */
const newest = <T extends Resource>(classes: readonly T[], annotation: string): readonly T[] =>
  classes
    .filter(({ metadata }) => metadata.annotations?.[annotation] === 'true')
    .sort(
      (a, b) =>
        Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp) ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    );

export const defaultStorageClass: Admission = {
  name: 'DefaultStorageClass',
  admit: ({ kind, operation, reads, ...request }) => {
    if (operation !== 'create' || kind.group !== '' || kind.plural !== 'persistentvolumeclaims')
      return undefined;
    const claim = (request as unknown as { object: PersistentVolumeClaim }).object;
    const legacy = claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'];
    if (claim.spec.storageClassName !== undefined || legacy !== undefined) return undefined;
    const [found] = newest(
      reads.list(storageclasses, undefined),
      'storageclass.kubernetes.io/is-default-class',
    );
    if (found === undefined) return undefined;
    const object: PersistentVolumeClaim = {
      ...claim,
      spec: { ...claim.spec, storageClassName: found.metadata.name },
    };
    return { object };
  },
};

export const defaultIngressClass: Admission = {
  name: 'DefaultIngressClass',
  admit: ({ kind, name, operation, reads, ...request }) => {
    if (operation !== 'create' || kind.group !== 'networking.k8s.io' || kind.plural !== 'ingresses')
      return undefined;
    const ingress = (request as unknown as { object: Ingress }).object;
    const legacy = ingress.metadata.annotations?.['kubernetes.io/ingress.class'];
    if (ingress.spec.ingressClassName !== undefined || legacy !== undefined) return undefined;
    const [found, second] = newest(
      reads.list(ingressclasses, undefined),
      'ingressclass.kubernetes.io/is-default-class',
    );
    if (found === undefined) return undefined;
    if (
      second?.metadata.creationTimestamp === found.metadata.creationTimestamp &&
      second.metadata.name !== found.metadata.name
    )
      throw forbidden(
        kind,
        name,
        'more than one IngressClass is marked as the default: set spec.ingressClassName',
      );
    const object: Ingress = { ...ingress, spec: { ...ingress.spec, ingressClassName: found.metadata.name } };
    return { object };
  },
};
