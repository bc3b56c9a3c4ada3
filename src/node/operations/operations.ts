// How each action is carried out.
import { hasCode } from '../../base/errors.js';
import { pods } from '../../resources/kinds/pods.js';
import { nameOf } from '../../resources/resource.js';
import { runProbe } from '../hooks.js';
import { addressOf, attemptOf, sandboxOf } from '../labels.js';
import type { PodAction } from '../pod-actions.js';
import { containerMemory, withContainer } from '../pod-memory.js';
import type { PodScope } from '../pod-scope.js';
import { recordProbe } from '../pod-steps/probes.js';
import { createSandbox } from './create-sandbox.js';
import { prepareVolumes } from './prepare-volumes.js';
import { startContainer } from './start-container.js';
import { stopContainer } from './stop-container.js';

type Operation<T extends PodAction['type']> = (
  scope: PodScope,
  action: Extract<PodAction, { type: T }>,
  signal: AbortSignal,
) => Promise<void>;

const probe: Operation<'probe'> = async (scope, { kind, container, id }, signal) => {
  const settings = container[`${kind}Probe`];
  if (settings === undefined) return;
  const { node } = scope;
  const known = node.table.get(id);
  const sandbox = node.table.get((known && sandboxOf(known)) ?? '');
  const podIP = (sandbox && addressOf(sandbox)) ?? node.hostIP;
  const at = node.clock.now();
  const answer = await runProbe({ ...node, id, template: container, podIP }, settings, signal);
  // It ended meanwhile: that says more than its probe.
  if (node.table.get(id)?.state !== 'running') return;
  const before = containerMemory(scope.memory(), container.name).probes[kind];
  const after = recordProbe(settings, before, { kind, containerId: id, at, success: answer.success });
  const quiet = before?.containerId === id && before.result === after.result;
  scope.update(
    (memory) =>
      withContainer(memory, container.name, (known) => ({
        ...known,
        probes: { ...known.probes, [kind]: after },
      })),
    quiet,
  );
  if (after.failures === 0 || after.countedAt !== at) return;
  const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  scope.tell('Warning', 'Unhealthy', `${name} probe failed: ${answer.message}`);
};

const fallbackLines = 80;
const fallbackBytes = 2048;

const readLastWords: Operation<'readLastWords'> = async (scope, { container, ended }, signal) => {
  const { files, runtime } = scope.node;
  const uid = scope.pod().metadata.uid;
  let text = await files.readTerminationLog(uid, container.name, attemptOf(ended));
  const fallBack = container.terminationMessagePolicy === 'FallbackToLogsOnError' && ended.exitCode !== 0;
  if (text === '' && fallBack) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of runtime.logs(
      ended.id,
      { follow: false, timestamps: false, tail: fallbackLines },
      signal,
    ))
      chunks.push(chunk);
    text = Buffer.concat(chunks).subarray(-fallbackBytes).toString('utf8');
  }
  scope.update((memory) =>
    withContainer(memory, container.name, (known) => {
      // Of those before, only what is still listed matters.
      const kept = Object.entries(known.lastWords ?? {}).filter(
        ([id]) => scope.node.table.get(id) !== undefined,
      );
      return { ...known, lastWords: { ...Object.fromEntries(kept), [ended.id]: text } };
    }),
  );
};

const finish: Operation<'finish'> = async (scope, _action, signal) => {
  const { cluster, files } = scope.node;
  const pod = scope.pod();
  await files.removePod(pod.metadata.uid);
  signal.throwIfAborted();
  try {
    await cluster.delete(pods, nameOf(pod), {
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.metadata.uid },
    });
  } catch (error) {
    // Gone already, perhaps followed by another of its name.
    if (!hasCode(error, 'NotFound', 'Conflict')) throw error;
  }
  scope.update((memory) => ({ ...memory, finished: true }));
};

export const operations: { readonly [T in Exclude<PodAction['type'], 'cancel'>]: Operation<T> } = {
  prepareVolumes,
  createSandbox,
  startContainer,
  stopContainer,
  kill: async ({ node }, { id }, signal) => {
    node.table.put(await node.runtime.stop(id, 0, signal));
  },
  remove: async ({ node }, { id }, signal) => {
    await node.runtime.remove(id, signal);
    node.table.remove(id);
  },
  probe,
  readLastWords,
  finish,
};

/** `cancel` is the worker's own: it holds what is under way. */
export const execute = (
  scope: PodScope,
  action: Exclude<PodAction, { type: 'cancel' }>,
  signal: AbortSignal,
): Promise<void> => {
  const operation = operations[action.type] as Operation<typeof action.type>;
  return operation(scope, action, signal);
};
