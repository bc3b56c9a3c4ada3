// Pulls the image, makes the container and starts it; what fails is remembered with the reason that its status shows.
import { messageOf } from '../../base/errors.js';
import type { EphemeralContainer, Pod } from '../../resources/generated/types.js';
import { localSeccomp, refusedUser } from '../container-security.js';
import { containerSpec } from '../container-spec.js';
import { nextFailure } from '../failures.js';
import { runHook } from '../hooks.js';
import { addressOf, containerNameOf } from '../labels.js';
import { resolveEnvironment } from '../node-context.js';
import type { PodAction } from '../pod-actions.js';
import { containerMemory, withContainer } from '../pod-memory.js';
import type { PodScope } from '../pod-scope.js';
import { runtimeHandlerOf } from '../runtime-class.js';
import type { Container, Seccomp } from '../runtime.js';
import { devicesOf, systemMounts, volumeMounts } from './container-mounts.js';
import { pullImage } from './pull-image.js';
import { isTransient, StartFailure, step } from './start-failure.js';

type Start = Extract<PodAction, { type: 'startContainer' }>;

/** A profile on the node's disk; undefined when the pod itself says which. */
const seccompOf = async ({ node, pod }: PodScope, { container }: Start): Promise<Seccomp | undefined> => {
  const name = localSeccomp(pod(), container);
  return name === undefined
    ? undefined
    : { type: 'Localhost', profile: await node.files.seccompProfile(name) };
};

/** Of an ephemeral container: the running container whose processes it shall see. */
const targetOf = ({ node, pod }: PodScope, { container }: Start): string | undefined => {
  const { targetContainerName: target = '' } = container as EphemeralContainer;
  if (target === '') return undefined;
  const found = node.table
    .ofPod(pod().metadata.uid)
    .find((candidate) => candidate.state === 'running' && containerNameOf(candidate) === target);
  if (found === undefined)
    throw new StartFailure('CreateContainerError', `unable to find target container "${target}"`);
  return found.id;
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
  const [runtimeHandler, image, seccomp, mounts] = await Promise.all([
    step('CreateContainerError', signal, () => runtimeHandlerOf(node.cluster, pod, signal)),
    pullImage(scope, action, signal),
    step('CreateContainerError', signal, () => seccompOf(scope, action)),
    step('CreateContainerConfigError', signal, async () => [
      ...(await volumeMounts(scope, container, environment.value)),
      ...(await systemMounts(scope, action, signal)),
    ]),
  ]);
  const refused = refusedUser(pod, container, image.user ?? '');
  if (refused !== undefined) throw new StartFailure('CreateContainerConfigError', refused);
  const spec = containerSpec(pod, {
    ...action,
    sandboxId: sandbox?.id,
    environment: environment.value,
    mounts,
    devices: devicesOf(scope, container),
    seccomp,
    runtimeHandler,
    joinProcesses: targetOf(scope, action),
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
