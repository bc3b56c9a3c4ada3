// Who a new pod is, and how it proves that to the API server: its account, and the account's token in every container.
// Follows Kubernetes' plugin/pkg/admission/serviceaccount.
import type {
  Container,
  Pod,
  PodSpec,
  ServiceAccount,
  Volume,
  VolumeMount,
} from '../../resources/generated/types.js';
import { serviceaccounts } from '../../resources/kinds/serviceaccounts.js';
import type { Ids } from '../verbs/context.js';
import { generatedName } from '../verbs/generated-name.js';
import type { Admission, AdmissionRequest } from './admission.js';
import { newPod } from './pod-defaults.js';

/** What a node reports of a pod that it runs by itself: such a pod has no account. */
const mirrorAnnotation = 'kubernetes.io/config.mirror';

const newOwnPod = (request: AdmissionRequest): Pod | undefined => {
  const pod = newPod(request);
  return pod?.metadata.annotations?.[mirrorAnnotation] === undefined ? pod : undefined;
};

/** An account that is not there (yet) refuses nothing: the agent asks for its token until there is one. */
const accountOf = ({ reads, namespace }: AdmissionRequest, { spec }: Pod): ServiceAccount | undefined =>
  reads.get(serviceaccounts, { name: spec.serviceAccountName ?? '', namespace: namespace ?? '' });

export const podServiceAccount: Admission = {
  name: 'ServiceAccount',
  admit: (request) => {
    const pod = newOwnPod(request);
    if (pod === undefined) return undefined;
    const given = pod.spec.serviceAccountName ?? pod.spec.serviceAccount ?? '';
    const name = given === '' ? 'default' : given;
    const named = { ...pod, spec: { ...pod.spec, serviceAccountName: name, serviceAccount: name } };
    if ((pod.spec.imagePullSecrets ?? []).length > 0) return { object: named };
    const { imagePullSecrets = [] } = accountOf(request, named) ?? {};
    return {
      object: imagePullSecrets.length === 0 ? named : { ...named, spec: { ...named.spec, imagePullSecrets } },
    };
  },
};

/** Where client libraries look for it. */
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
/** Kubernetes' own: an hour, and odd, so that these tokens are told apart from those that somebody asked for. */
const expirationSeconds = 3607;
/** 0644 in octal. */
const defaultMode = 420;

const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    defaultMode,
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
});

const lacksToken = ({ volumeMounts = [] }: Container): boolean =>
  volumeMounts.every((mount) => mount.mountPath !== mountPath);

const withMount = (container: Container, name: string): Container => {
  if (!lacksToken(container)) return container;
  const mount: VolumeMount = { name, mountPath, readOnly: true };
  return { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
};

/** A volume with such a name that the author brings, as one does who creates a pod anew from what was read, is used. */
const withToken = (spec: PodSpec, ids: Pick<Ids, 'random'>): PodSpec | undefined => {
  const { volumes = [], containers, initContainers } = spec;
  if (![...containers, ...(initContainers ?? [])].some(lacksToken)) return undefined;
  const present = volumes.find(({ name }) => name.startsWith(volumePrefix));
  const volume = present ?? tokenVolume(generatedName(volumePrefix, ids));
  const mounted = (container: Container): Container => withMount(container, volume.name);
  return {
    ...spec,
    volumes: present === undefined ? [...volumes, volume] : volumes,
    containers: containers.map(mounted),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(mounted) }),
  };
};

/** Comes after `podServiceAccount`. `ids` gives the volume its suffix. */
export const podServiceAccountToken = (ids: Pick<Ids, 'random'>): Admission => ({
  name: 'ServiceAccountToken',
  admit: (request) => {
    const pod = newOwnPod(request);
    if (pod === undefined) return undefined;
    const { automountServiceAccountToken: own } = pod.spec;
    const wanted = own ?? accountOf(request, pod)?.automountServiceAccountToken ?? true;
    const spec = wanted ? withToken(pod.spec, ids) : undefined;
    return spec && { object: { ...pod, spec } };
  },
});
