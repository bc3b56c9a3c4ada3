// What a pod's volumes hold, decided from the pod and the objects that it refers to.
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '../resources/generated/types.js';
import { wholeValue } from '../resources/quantity.js';
import { claimNameOf } from '../resources/storage/binding.js';
import { planClaim, type NetworkSource } from './claim-plan.js';
import type { Resolved } from './environment.js';
import { fieldValue, resourceValue } from './field-value.js';
import type { PodPlace } from './field-value.js';
import type { HostPathType, ProjectedFile } from './node-files.js';
import type { Reference, Referenced, References, TokenQuery } from './pod-source.js';
import { referenceKey } from './pod-source.js';
import { podReferences } from './pod-references.js';
import type { Resource } from '../resources/resource.js';

export type VolumePlan = { readonly name: string; readonly group?: number | undefined } & (
  | { readonly type: 'empty'; readonly memory: boolean; readonly sizeBytes?: number | undefined }
  | { readonly type: 'host'; readonly path: string; readonly pathType: HostPathType }
  | { readonly type: 'files'; readonly files: readonly ProjectedFile[] }
  /** A folder that outlives the pod. */
  | {
      readonly type: 'folder';
      readonly path: string;
      readonly pathType: HostPathType;
      readonly owned: boolean;
      readonly onRootMismatch: boolean;
    }
  | NetworkSource
);

export interface VolumeContext {
  readonly pod: Pod;
  readonly references: References;
  readonly place: PodPlace;
}

/** 0644 in octal: what Kubernetes gives files that name no mode. */
const fileMode = 0o644;

class Missing extends Error {}
class Unknown extends Error {}

interface Content {
  readonly kind: ContentReference['kind'];
  readonly name: string;
  /** Undefined: absent, and that is allowed. */
  readonly data: ReadonlyMap<string, Uint8Array> | undefined;
}

const lookUps: {
  readonly [K in Reference['kind']]: (references: References, reference: Reference) => Referenced<Resource>;
} = {
  ConfigMap: (references, { namespace, name }) => references.configMap(namespace, name),
  Secret: (references, { namespace, name }) => references.secret(namespace, name),
  PersistentVolumeClaim: (references, { namespace, name }) => references.claim(namespace, name),
  PersistentVolume: (references, { name }) => references.volume(name),
};

const lookUp = (references: References, reference: Reference): Referenced<Resource> =>
  lookUps[reference.kind](references, reference);

/** What a volume of files shows. */
type ContentReference = Omit<Reference, 'kind'> & { readonly kind: 'ConfigMap' | 'Secret' };

const contentOf = (context: VolumeContext, reference: ContentReference, optional: boolean): Content => {
  const { kind, namespace, name } = reference;
  const { references } = context;
  const found: Referenced<{
    readonly data?: Readonly<Record<string, string>> | undefined;
    readonly binaryData?: Readonly<Record<string, string>> | undefined;
  }> = kind === 'ConfigMap' ? references.configMap(namespace, name) : references.secret(namespace, name);
  if (found.state === 'unknown') throw new Unknown();
  if (found.state === 'absent') {
    if (optional) return { kind, name, data: undefined };
    throw new Missing(`${kind.toLowerCase()} "${name}" not found`);
  }
  const encoding = kind === 'Secret' ? 'base64' : 'utf8';
  const data = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(found.object.data ?? {}))
    data.set(key, Buffer.from(value, encoding));
  for (const [key, value] of Object.entries(found.object.binaryData ?? {}))
    data.set(key, Buffer.from(value, 'base64'));
  return { kind, name, data };
};

interface Selection {
  readonly items: readonly KeyToPath[] | undefined;
  readonly optional: boolean;
  readonly mode: number;
}

const selected = (
  { kind, name, data }: Content,
  { items, optional, mode }: Selection,
): readonly ProjectedFile[] => {
  if (data === undefined) return [];
  if (items === undefined || items.length === 0)
    return [...data].map(([path, content]) => ({ path, data: content, mode }));
  return items.flatMap(({ key, path, mode: own }) => {
    const content = data.get(key);
    if (content !== undefined) return [{ path, data: content, mode: own ?? mode }];
    if (optional) return [];
    throw new Missing(`${kind.toLowerCase()} "${name}" references non-existent key: ${key}`);
  });
};

const downward = (
  { pod, place }: VolumeContext,
  items: readonly DownwardAPIVolumeFile[] | undefined,
  mode: number,
): readonly ProjectedFile[] =>
  (items ?? []).map(({ path, fieldRef, resourceFieldRef, mode: own }) => {
    const text =
      fieldRef !== undefined
        ? fieldValue(pod, fieldRef, place)
        : resourceFieldRef && resourceValue(pod, resourceFieldRef, { container: undefined, place });
    if (text === undefined) throw new Missing(`downwardAPI: nothing to write into ${path}`);
    return { path, data: Buffer.from(text), mode: own ?? mode };
  });

const tokenQuery = (
  { metadata, spec }: Pod,
  { audience = '', expirationSeconds }: ServiceAccountTokenProjection,
): TokenQuery => ({
  podUid: metadata.uid,
  podName: metadata.name,
  namespace: metadata.namespace ?? '',
  account: spec.serviceAccountName ?? 'default',
  audience,
  expirationSeconds,
});

const tokenFile = (
  { pod, references }: VolumeContext,
  projection: ServiceAccountTokenProjection,
  mode: number,
): ProjectedFile => {
  const found = references.token?.(tokenQuery(pod, projection)) ?? { state: 'absent' };
  if (found.state === 'unknown') throw new Unknown();
  if (found.state === 'absent')
    throw new Missing(
      `failed to fetch token: ${found.because ?? 'tokens are not given to pods of this node'}`,
    );
  return { path: projection.path, data: Buffer.from(found.object.token), mode };
};

const projectedFiles = (
  context: VolumeContext,
  source: VolumeProjection,
  mode: number,
): readonly ProjectedFile[] => {
  const namespace = context.pod.metadata.namespace ?? '';
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (downwardAPI !== undefined) return downward(context, downwardAPI.items, mode);
  if (serviceAccountToken !== undefined) return [tokenFile(context, serviceAccountToken, mode)];
  const from = configMap ?? secret;
  if (from === undefined)
    throw new Missing(
      `a projection of type ${Object.keys(source)[0] ?? 'unknown'} is not provided by this cluster`,
    );
  const kind = configMap === undefined ? 'Secret' : 'ConfigMap';
  const optional = from.optional === true;
  const content = contentOf(context, { kind, namespace, name: from.name ?? '' }, optional);
  return selected(content, { items: from.items, optional, mode });
};

const filesOf = (context: VolumeContext, volume: Volume): readonly ProjectedFile[] | undefined => {
  const namespace = context.pod.metadata.namespace ?? '';
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined || secret !== undefined) {
    const source = configMap ?? secret;
    const reference: ContentReference =
      configMap === undefined
        ? { kind: 'Secret', namespace, name: secret?.secretName ?? '' }
        : { kind: 'ConfigMap', namespace, name: configMap.name ?? '' };
    const optional = source?.optional === true;
    const mode = source?.defaultMode ?? fileMode;
    return selected(contentOf(context, reference, optional), { items: source?.items, optional, mode });
  }
  if (downwardAPI !== undefined)
    return downward(context, downwardAPI.items, downwardAPI.defaultMode ?? fileMode);
  if (projected === undefined) return undefined;
  const mode = projected.defaultMode ?? fileMode;
  return (projected.sources ?? []).flatMap((source) => projectedFiles(context, source, mode));
};

const claimed = ({ pod, references }: VolumeContext, name: string, claim: string): VolumePlan => {
  const found = references.claim(pod.metadata.namespace ?? '', claim);
  const plan = planClaim(claim, found, (volume) => references.volume(volume));
  if (plan.type === 'unknown') throw new Unknown();
  if (plan.type === 'missing') throw new Missing(plan.message);
  const { fsGroup: group, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
  if (plan.type !== 'folder') return { ...plan, name };
  return { ...plan, name, group, onRootMismatch: fsGroupChangePolicy === 'OnRootMismatch' };
};

const planOf = (context: VolumeContext, volume: Volume): VolumePlan => {
  const { name, emptyDir, hostPath } = volume;
  const group = context.pod.spec.securityContext?.fsGroup;
  if (emptyDir !== undefined)
    return {
      type: 'empty',
      name,
      group,
      memory: emptyDir.medium === 'Memory',
      sizeBytes: emptyDir.sizeLimit === undefined ? undefined : wholeValue(emptyDir.sizeLimit),
    };
  if (hostPath !== undefined)
    return { type: 'host', name, path: hostPath.path, pathType: (hostPath.type ?? '') as HostPathType };
  const claim = claimNameOf(context.pod, volume);
  if (claim !== undefined) return claimed(context, name, claim);
  const { nfs } = volume;
  if (nfs !== undefined) return { ...nfs, type: 'nfs', name, options: [], readOnly: nfs.readOnly === true };
  const files = filesOf(context, volume);
  if (files !== undefined) return { type: 'files', name, group, files };
  const type = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
  throw new Missing(`volumes of type ${type} are not provided by this cluster`);
};

/** The kubelet's words for a volume that cannot be set up. */
export const mountFailure = (volume: string, message: string): string =>
  `MountVolume.SetUp failed for volume "${volume}" : ${message}`;

/** All volumes, or why the first of them cannot be set up. */
export const planVolumes = (context: VolumeContext): Resolved<readonly VolumePlan[]> => {
  const plans: VolumePlan[] = [];
  for (const volume of context.pod.spec.volumes ?? []) {
    try {
      plans.push(planOf(context, volume));
    } catch (error) {
      if (error instanceof Unknown) return { type: 'unknown' };
      if (error instanceof Missing)
        return { type: 'missing', message: mountFailure(volume.name, error.message) };
      throw error;
    }
  }
  return { type: 'value', value: plans };
};

/** Changes whenever what the volumes hold may have changed; cheap enough for every look at the pod. */
export const volumesVersion = ({ pod, references }: Pick<VolumeContext, 'pod' | 'references'>): string => {
  const volumes = pod.spec.volumes ?? [];
  if (volumes.length === 0) return 'none';
  const parts = podReferences(pod, references).map((reference) => {
    const found = lookUp(references, reference);
    const version =
      found.state === 'present'
        ? `${found.object.metadata.uid}@${found.object.metadata.resourceVersion}`
        : found.state;
    return `${referenceKey(reference)}=${version}`;
  });
  for (const { projected } of volumes)
    for (const { serviceAccountToken } of projected?.sources ?? []) {
      if (serviceAccountToken === undefined) continue;
      const found = references.token?.(tokenQuery(pod, serviceAccountToken)) ?? { state: 'absent' };
      parts.push(`token=${found.state === 'present' ? String(found.object.expires) : found.state}`);
    }
  const own = volumes.some(
    ({ downwardAPI, projected }) => downwardAPI !== undefined || projected !== undefined,
  );
  if (own) parts.push(JSON.stringify([pod.metadata.labels, pod.metadata.annotations]));
  return parts.join(' ') || 'static';
};
