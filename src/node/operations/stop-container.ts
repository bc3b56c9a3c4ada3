// Stops a container: its preStop hook, SIGTERM, and SIGKILL when its grace is over.
import { messageOf } from '../../base/errors.js';
import { runHook, within } from '../hooks.js';
import type { HookContext } from '../hooks.js';
import { addressOf, sandboxOf } from '../labels.js';
import type { PodAction } from '../pod-actions.js';
import type { PodScope } from '../pod-scope.js';

type Stop = Extract<PodAction, { type: 'stopContainer' }>;

/** What is left at least after a hook that took all of the grace. */
const leastSeconds = 2;

const contextOf = (scope: PodScope, { id, container }: Stop): HookContext | undefined => {
  const { spec } = scope.pod();
  const template = [...spec.containers, ...(spec.initContainers ?? [])].find(
    ({ name }) => name === container,
  );
  if (template === undefined) return undefined;
  const known = scope.node.table.get(id);
  const sandbox = scope.node.table.get((known && sandboxOf(known)) ?? '');
  const podIP = (sandbox && addressOf(sandbox)) ?? scope.node.hostIP;
  return { ...scope.node, id, template, podIP };
};

/** Seconds of grace that are left. */
const preStop = async (scope: PodScope, action: Stop, signal: AbortSignal): Promise<number> => {
  const { preStop: handler, graceSeconds } = action;
  if (handler === undefined || graceSeconds <= 0) return graceSeconds;
  const context = contextOf(scope, action);
  if (context === undefined) return graceSeconds;
  const { clock } = scope.node;
  const begin = clock.now();
  try {
    await within({ clock, ms: graceSeconds * 1000 }, (inner) => runHook(context, handler, inner), signal);
  } catch (error) {
    if (signal.aborted) throw error;
    scope.tell('Warning', 'FailedPreStopHook', `PreStopHook failed: ${messageOf(error)}`);
  }
  return Math.max(leastSeconds, Math.ceil(graceSeconds - (clock.now() - begin) / 1000));
};

export const stopContainer = async (scope: PodScope, action: Stop, signal: AbortSignal): Promise<void> => {
  scope.tell('Normal', 'Killing', action.message);
  const left = await preStop(scope, action, signal);
  const { runtime, table } = scope.node;
  table.put(await runtime.stop(action.id, left, signal));
};
