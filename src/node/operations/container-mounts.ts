// What a container finds in its file system beside its image: volumes, devices, and the small files of its pod.
import type {
  Container as ContainerTemplate,
  HostPathVolumeSource,
  Volume,
  VolumeMount,
} from '../../resources/generated/types.js';
import { mountOf } from '../container-spec.js';
import { expand } from '../environment.js';
import { addressOf } from '../labels.js';
import type { PodAction } from '../pod-actions.js';
import { hostsFile, resolvConf } from '../pod-files.js';
import type { PodScope } from '../pod-scope.js';
import type { Device, Mount } from '../runtime.js';

type Start = Extract<PodAction, { type: 'startContainer' }>;
type Environment = Readonly<Record<string, string>>;

const isDevice = (hostPath: HostPathVolumeSource | undefined): boolean =>
  hostPath?.type === 'CharDevice' || hostPath?.type === 'BlockDevice';

/** A volume that names a device of the host's: the container may use it, which a mount alone would not allow. */
const deviceOf = (scope: PodScope, { name, mountPath, readOnly }: VolumeMount): Device | undefined => {
  const { hostPath } = scope.pod().spec.volumes?.find((volume) => volume.name === name) ?? {};
  if (hostPath === undefined || !isDevice(hostPath)) return undefined;
  return {
    hostPath: hostPath.path,
    containerPath: mountPath,
    permissions: readOnly === true ? 'r' : 'rwm',
  };
};

export const devicesOf = (
  scope: PodScope,
  { volumeMounts: mounts }: Pick<ContainerTemplate, 'volumeMounts'>,
): readonly Device[] => (mounts ?? []).flatMap((mount) => deviceOf(scope, mount) ?? []);

/** What shows objects of the cluster cannot be written to. */
const isReadOnly = ({ emptyDir, hostPath, persistentVolumeClaim, ephemeral, nfs }: Volume): boolean => {
  if (emptyDir !== undefined || hostPath !== undefined || ephemeral !== undefined) return false;
  const source = persistentVolumeClaim ?? nfs;
  return source === undefined || source.readOnly === true;
};

export const volumeMounts = async (
  scope: PodScope,
  { volumeMounts: all }: Pick<ContainerTemplate, 'volumeMounts'>,
  environment: Environment,
): Promise<readonly Mount[]> => {
  const { files } = scope.node;
  const { paths } = scope.memory().volumes;
  const volumes = scope.pod().spec.volumes ?? [];
  const mounts = (all ?? []).filter((mount) => deviceOf(scope, mount) === undefined);
  return Promise.all(
    mounts.map(async (mount) => {
      const path = paths[mount.name];
      if (path === undefined) throw new Error(`volume "${mount.name}" is not one of the pod's volumes`);
      const sub = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, environment);
      const hostPath = sub === undefined || sub === '' ? path : await files.subPath(path, sub);
      const volume = volumes.find(({ name }) => name === mount.name);
      const readOnly = volume === undefined || isReadOnly(volume);
      return mountOf(mount, hostPath, readOnly);
    }),
  );
};

export const systemMounts = async (
  scope: PodScope,
  { container, attempt, sandbox }: Start,
  signal: AbortSignal,
): Promise<readonly Mount[]> => {
  const { files } = scope.node;
  const pod = scope.pod();
  const { uid } = pod.metadata;
  const podIP = sandbox && addressOf(sandbox);
  const [nodeHosts, nodeResolv, dns] = await Promise.all([
    files.hosts(),
    files.resolvConf(),
    scope.node.dns?.(signal),
  ]);
  const [hosts, resolver, lastWords] = await Promise.all([
    files.podFile(uid, 'etc-hosts', hostsFile(pod, podIP, nodeHosts)),
    files.podFile(uid, 'resolv.conf', resolvConf(pod, nodeResolv, dns)),
    files.terminationLog(uid, container.name, attempt),
  ]);
  const mount = (hostPath: string, containerPath: string): Mount => ({
    hostPath,
    containerPath,
    readOnly: false,
  });
  const own = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath));
  return [
    mount(hosts, '/etc/hosts'),
    mount(resolver, '/etc/resolv.conf'),
    mount(lastWords, container.terminationMessagePath ?? '/dev/termination-log'),
  ].filter(({ containerPath }) => !own.has(containerPath));
};
