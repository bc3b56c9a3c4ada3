// ConfigMaps and Secrets that a pod template names are versioned with it: each version of the pods has copies of its own, so
// that a change of them is a rollout, and going back brings the old content back.
import { canonical } from '../../base/json.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import { shortHash } from '../../reconcile/hash.js';
import type {
  ConfigMap,
  Container,
  PodSpec,
  PodTemplateSpec,
  ReplicaSet,
  Rollout,
  Secret,
  Volume,
} from '../../resources/generated/types.js';
import { configmaps } from '../../resources/kinds/configmaps.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { ownedBy } from '../../resources/resource.js';

/** On a rollout: "false" leaves ConfigMaps and Secrets as they are, shared by all versions. */
export const versionedAnnotation = 'capstan.dev/versioned-config';

export const isVersioned = ({ metadata }: Rollout): boolean =>
  metadata.annotations?.[versionedAnnotation] !== 'false';

/** Gives the name of a ConfigMap or Secret another one. */
export interface Rename {
  configMap(name: string): string;
  secret(name: string): string;
}

const named = <T extends { readonly name?: string | undefined }>(
  reference: T | undefined,
  rename: (name: string) => string,
): T | undefined =>
  reference?.name === undefined ? reference : { ...reference, name: rename(reference.name) };

/** Members that are undefined stay away. */
const present = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

const renamedContainer = (container: Container, rename: Rename): Container =>
  present({
    ...container,
    envFrom: container.envFrom?.map((source) =>
      present({
        ...source,
        configMapRef: named(source.configMapRef, rename.configMap),
        secretRef: named(source.secretRef, rename.secret),
      }),
    ),
    env: container.env?.map((entry) =>
      entry.valueFrom === undefined
        ? entry
        : {
            ...entry,
            valueFrom: present({
              ...entry.valueFrom,
              configMapKeyRef: named(entry.valueFrom.configMapKeyRef, rename.configMap),
              secretKeyRef: named(entry.valueFrom.secretKeyRef, rename.secret),
            }),
          },
    ),
  });

const renamedVolume = (volume: Volume, rename: Rename): Volume => {
  const { secret, projected } = volume;
  const secretName = secret?.secretName;
  return present({
    ...volume,
    configMap: named(volume.configMap, rename.configMap),
    secret: secretName === undefined ? secret : { ...secret, secretName: rename.secret(secretName) },
    projected: projected && {
      ...projected,
      sources: (projected.sources ?? []).map((source) =>
        present({
          ...source,
          configMap: named(source.configMap, rename.configMap),
          secret: named(source.secret, rename.secret),
        }),
      ),
    },
  });
};

const renamedSpec = (spec: PodSpec, rename: Rename): PodSpec =>
  present({
    ...spec,
    containers: spec.containers.map((container) => renamedContainer(container, rename)),
    initContainers: spec.initContainers?.map((container) => renamedContainer(container, rename)),
    volumes: spec.volumes?.map((volume) => renamedVolume(volume, rename)),
  });

export const renamedTemplate = (template: PodTemplateSpec, rename: Rename): PodTemplateSpec =>
  template.spec === undefined ? template : { ...template, spec: renamedSpec(template.spec, rename) };

export interface Config {
  readonly configMaps: readonly ConfigMap[];
  readonly secrets: readonly Secret[];
}

export const noConfig: Config = { configMaps: [], secrets: [] };

/** Names that the template uses. */
export const configNames = (
  template: PodTemplateSpec,
): { readonly configMaps: readonly string[]; readonly secrets: readonly string[] } => {
  const maps = new Set<string>();
  const hidden = new Set<string>();
  renamedTemplate(template, {
    configMap: (name) => {
      maps.add(name);
      return name;
    },
    secret: (name) => {
      hidden.add(name);
      return name;
    },
  });
  return { configMaps: [...maps].sort(), secrets: [...hidden].sort() };
};

/** Empty when there is none, so that a template without any has the hash of its own. */
export const configHash = ({ configMaps: maps, secrets: hidden }: Config): string =>
  maps.length + hidden.length === 0
    ? ''
    : shortHash(
        16,
        canonical([
          ...maps.map(({ metadata, data, binaryData }) => ['c', metadata.name, data ?? {}, binaryData ?? {}]),
          ...hidden.map(({ metadata, data, type }) => ['s', metadata.name, data ?? {}, type ?? '']),
        ]),
      );

/** `web-config` of version 5d8f7c -> `web-config-5d8f7c`; long names are cut. */
export const copyName = (name: string, hash: string): string => `${name.slice(0, 252 - hash.length)}-${hash}`;

/** The template with the names of this version's copies. */
export const withCopies = (template: PodTemplateSpec, config: Config, hash: string): PodTemplateSpec => {
  const names = (list: readonly { readonly metadata: { readonly name: string } }[]): ReadonlySet<string> =>
    new Set(list.map(({ metadata }) => metadata.name));
  const [maps, hidden] = [names(config.configMaps), names(config.secrets)];
  if (maps.size + hidden.size === 0) return template;
  return renamedTemplate(template, {
    configMap: (name) => (maps.has(name) ? copyName(name, hash) : name),
    secret: (name) => (hidden.has(name) ? copyName(name, hash) : name),
  });
};

/** Copies that are not there yet; they go with the ReplicaSet. */
export const copyActions = (
  set: ReplicaSet,
  { configMaps: maps, secrets: hidden }: Config,
  {
    hash,
    isThere,
  }: { readonly hash: string; readonly isThere: (kind: 'ConfigMap' | 'Secret', name: string) => boolean },
): readonly ClusterAction[] => {
  const metadata = (name: string): { readonly name: string; readonly namespace: string | undefined } => ({
    name: copyName(name, hash),
    namespace: set.metadata.namespace,
    ...{ ownerReferences: [{ ...ownedBy(set), controller: false }] },
  });
  return [
    ...maps
      .filter(({ metadata: { name } }) => !isThere('ConfigMap', copyName(name, hash)))
      .map(({ metadata: { name }, data, binaryData }): ClusterAction => ({
        type: 'create',
        kind: configmaps,
        object: present({ metadata: metadata(name), data, binaryData, immutable: true }),
      })),
    ...hidden
      .filter(({ metadata: { name } }) => !isThere('Secret', copyName(name, hash)))
      .map(({ metadata: { name }, data, type }): ClusterAction => ({
        type: 'create',
        kind: secrets,
        object: present({ metadata: metadata(name), data, type, immutable: true }),
      })),
  ];
};
