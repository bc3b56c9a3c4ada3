// Pulls the image, makes the container and starts it; what fails is remembered with the reason that its status shows.
import { ClusterError, hasCode, messageOf } from '../../base/errors.js';
import type { Container as ContainerTemplate, Pod } from '../../resources/generated/types.js';
import { containerSpec, mountOf, refusedUser } from '../container-spec.js';
import { nextFailure } from '../failures.js';
import { runHook } from '../hooks.js';
import { addressOf } from '../labels.js';
import { resolveEnvironment } from '../node-context.js';
import type { PodAction } from '../pod-actions.js';
import { hostsFile, resolvConf } from '../pod-files.js';
import { containerMemory, withContainer } from '../pod-memory.js';
import type { PodScope } from '../pod-scope.js';
import { expand } from '../environment.js';
import type { Container, Mount, PulledImage, PullPolicy } from '../runtime.js';

type Start = Extract<PodAction, { type: 'startContainer' }>;
type Environment = Readonly<Record<string, string>>;

/** A failure whose reason the container's status shows. */
class StartFailure extends Error {
  readonly reason: string;

  constructor(reason: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** The engine is away, or the operation was given up: nobody's fault, tried again when that is over. */
const isTransient = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted || hasCode(error, 'ServiceUnavailable');

const step = async <T>(reason: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (isTransient(error, signal) || error instanceof StartFailure) throw error;
    throw new StartFailure(reason, messageOf(error), error);
  }
};

const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(3)}s`);

const pull = async (scope: PodScope, { container }: Start, signal: AbortSignal): Promise<PulledImage> => {
  const { image = '' } = container;
  const { runtime, clock } = scope.node;
  const policy = (container.imagePullPolicy ?? 'IfNotPresent') as PullPolicy;
  if (policy === 'Always') scope.tell('Normal', 'Pulling', `Pulling image "${image}"`);
  const begin = clock.now();
  try {
    const pulled = await runtime.pull(
      { image, policy, annotations: scope.pod().metadata.annotations },
      signal,
    );
    const took = seconds(clock.now() - begin);
    scope.tell(
      'Normal',
      'Pulled',
      pulled.pulled
        ? `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${pulled.sizeBytes ?? 0} bytes.`
        : `Container image "${image}" already present on machine`,
    );
    return pulled;
  } catch (error) {
    if (isTransient(error, signal)) throw error;
    const never = policy === 'Never' && error instanceof ClusterError && !error.retry;
    const reason = never ? 'ErrImageNeverPull' : 'ErrImagePull';
    scope.tell(
      'Warning',
      'Failed',
      never ? messageOf(error) : `Failed to pull image "${image}": ${messageOf(error)}`,
    );
    throw new StartFailure(reason, messageOf(error), error);
  }
};

const volumeMounts = async (
  scope: PodScope,
  { volumeMounts: mounts }: ContainerTemplate,
  environment: Environment,
): Promise<readonly Mount[]> => {
  const { files } = scope.node;
  const { paths } = scope.memory().volumes;
  const volumes = scope.pod().spec.volumes ?? [];
  return Promise.all(
    (mounts ?? []).map(async (mount) => {
      const path = paths[mount.name];
      if (path === undefined) throw new Error(`volume "${mount.name}" is not one of the pod's volumes`);
      const sub = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, environment);
      const hostPath = sub === undefined || sub === '' ? path : await files.subPath(path, sub);
      const volume = volumes.find(({ name }) => name === mount.name);
      // What shows objects of the cluster cannot be written to.
      const readOnly = volume?.emptyDir === undefined && volume?.hostPath === undefined;
      return mountOf(mount, hostPath, readOnly);
    }),
  );
};

const systemMounts = async (
  scope: PodScope,
  { container, attempt, sandbox }: Start,
): Promise<readonly Mount[]> => {
  const { files, dns } = scope.node;
  const pod = scope.pod();
  const { uid } = pod.metadata;
  const podIP = sandbox && addressOf(sandbox);
  const [nodeHosts, nodeResolv] = await Promise.all([files.hosts(), files.resolvConf()]);
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

const create = async (scope: PodScope, action: Start, signal: AbortSignal): Promise<Container> => {
  const { node } = scope;
  const { container, sandbox } = action;
  const pod: Pod = scope.pod();
  const environment = resolveEnvironment(node, pod, {
    container,
    podIP: sandbox ? addressOf(sandbox) : node.hostIP,
  });
  if (environment.type !== 'value')
    throw new StartFailure(
      'CreateContainerConfigError',
      environment.type === 'missing' ? environment.message : 'config maps and secrets are not known yet',
    );
  const [image, mounts] = await Promise.all([
    pull(scope, action, signal),
    step('CreateContainerConfigError', signal, async () => [
      ...(await volumeMounts(scope, container, environment.value)),
      ...(await systemMounts(scope, action)),
    ]),
  ]);
  const refused = refusedUser(pod, container, image.user ?? '');
  if (refused !== undefined) throw new StartFailure('CreateContainerConfigError', refused);
  const spec = containerSpec(pod, {
    ...action,
    sandboxId: sandbox?.id,
    environment: environment.value,
    mounts,
    nodeMemory: node.nodeMemory,
  });
  const created = await step('CreateContainerError', signal, () => node.runtime.create(spec, signal));
  node.table.put(created);
  scope.tell('Normal', 'Created', `Created container: ${container.name}`);
  return created;
};

const postStart = async (
  scope: PodScope,
  action: Start,
  started: Container,
  signal: AbortSignal,
): Promise<void> => {
  const { container, sandbox } = action;
  const handler = container.lifecycle?.postStart;
  if (handler === undefined) return;
  const { node } = scope;
  const note = (done: boolean): void =>
    scope.update((memory) =>
      withContainer(memory, container.name, (known) => ({
        ...known,
        postStart: { containerId: started.id, done },
      })),
    );
  try {
    const podIP = sandbox ? (addressOf(sandbox) ?? '') : node.hostIP;
    await runHook({ ...node, id: started.id, template: container, podIP }, handler, signal);
    note(true);
  } catch (error) {
    if (isTransient(error, signal)) throw error;
    scope.tell('Warning', 'FailedPostStartHook', `PostStartHook failed: ${messageOf(error)}`);
    scope.tell('Normal', 'Killing', `FailedPostStartHook`);
    node.table.put(
      await node.runtime.stop(started.id, scope.pod().spec.terminationGracePeriodSeconds ?? 30, signal),
    );
  }
};

const start = async (scope: PodScope, action: Start, signal: AbortSignal): Promise<void> => {
  const { container } = action;
  const { node } = scope;
  const created = await create(scope, action, signal);
  if (container.lifecycle?.postStart !== undefined)
    scope.update((memory) =>
      withContainer(memory, container.name, (known) => ({
        ...known,
        postStart: { containerId: created.id, done: false },
      })),
    );
  let started: Container;
  try {
    started = await node.runtime.start(created.id, signal);
  } catch (error) {
    if (isTransient(error, signal)) throw error;
    scope.tell('Warning', 'Failed', `Error: ${messageOf(error)}`);
    const now = node.clock.now();
    // It counts as one that ran and ended: the next try waits as after a crash.
    node.table.put({ ...created, state: 'exited', exitCode: 128, error: messageOf(error), finishedAt: now });
    return;
  }
  node.table.put(started);
  scope.tell('Normal', 'Started', `Started container ${container.name}`);
  scope.update((memory) => withContainer(memory, container.name, ({ failure: _failure, ...known }) => known));
  await postStart(scope, action, started, signal);
};

export const startContainer = async (scope: PodScope, action: Start, signal: AbortSignal): Promise<void> => {
  const { container, specHash, sandbox } = action;
  try {
    await start(scope, action, signal);
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    // Its sandbox died meanwhile: that is why, and another one is made.
    if (sandbox !== undefined && scope.node.table.get(sandbox.id)?.state !== 'running') return;
    const { reason, message } = error;
    if (reason !== 'ErrImageNeverPull')
      scope.tell('Warning', 'Failed', `Error: ${reason === 'ErrImagePull' ? reason : message}`);
    scope.update((memory) =>
      withContainer(memory, container.name, (known) => ({
        ...known,
        failure: nextFailure(containerMemory(memory, container.name).failure, {
          reason,
          message,
          at: scope.node.clock.now(),
          specHash,
        }),
      })),
    );
  }
};
