// Taints that follow from a node's conditions; all others are the user's and stay. Names are Kubernetes'.
import { toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import { conditionOf } from '../../resources/conditions.js';
import type { Node, Taint } from '../../resources/generated/types.js';

export const unreachable = 'node.kubernetes.io/unreachable';
export const notReady = 'node.kubernetes.io/not-ready';
const unschedulable = 'node.kubernetes.io/unschedulable';

const pressures: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
};

const managed: ReadonlySet<string> = new Set([
  unreachable,
  notReady,
  unschedulable,
  ...Object.values(pressures),
]);

export interface TaintInput {
  readonly node: Node;
  /** `status` of the Ready condition as it is now decided to be. */
  readonly ready: string | undefined;
  /** Nothing may be evicted now: the taints that evict are left as they are. */
  readonly hold: boolean;
  /** Since when the node is in the state that `ready` names: what tolerations of it count from. */
  readonly since: Instant;
}

const wantedTaints = ({ node, ready, hold }: TaintInput): readonly Taint[] => {
  const evicting = (key: string): readonly Taint[] => [
    { key, effect: 'NoSchedule' },
    ...(hold && !has(node, key, 'NoExecute') ? [] : [{ key, effect: 'NoExecute' }]),
  ];
  return [
    ...(ready === 'Unknown' ? evicting(unreachable) : []),
    ...(ready === 'False' ? evicting(notReady) : []),
    ...(ready === undefined ? [{ key: notReady, effect: 'NoSchedule' }] : []),
    ...(node.spec.unschedulable === true ? [{ key: unschedulable, effect: 'NoSchedule' }] : []),
    ...Object.entries(pressures)
      .filter(([type]) => conditionOf(node.status?.conditions, type)?.status === 'True')
      .map(([, key]) => ({ key, effect: 'NoSchedule' })),
  ];
};

const has = ({ spec }: Node, key: string, effect: string): boolean =>
  (spec.taints ?? []).some((taint) => taint.key === key && taint.effect === effect);

/** Undefined when the node has the right taints. */
export const nodeTaints = (input: TaintInput): readonly Taint[] | undefined => {
  const { node, since } = input;
  const present = node.spec.taints ?? [];
  const next = [
    ...present.filter(({ key }) => !managed.has(key)),
    ...wantedTaints(input).map((taint) => {
      const kept = present.find(({ key, effect }) => key === taint.key && effect === taint.effect);
      if (kept !== undefined) return kept;
      return taint.effect === 'NoExecute' ? { ...taint, timeAdded: toTimestamp(since) } : taint;
    }),
  ];
  const id = ({ key, effect }: Taint): string => `${key}:${effect}`;
  return equal(present.map(id).sort(), next.map(id).sort()) ? undefined : next;
};
