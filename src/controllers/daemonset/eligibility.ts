// Which nodes run a pod of a DaemonSet, and the tolerations that let it stay there. Follows `pkg/controller/daemon`.
import { equal } from '../../base/json.js';
import type { DaemonSet, Node, PodSpec, Toleration } from '../../resources/generated/types.js';
import { allowsNode } from '../../resources/node-affinity.js';
import { untolerated } from '../../resources/tolerations.js';

const tolerated: readonly (readonly [key: string, effect: string])[] = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
];

/** The template's tolerations and those of every daemon: a node in trouble needs its daemons most. */
export const daemonTolerations = (spec: PodSpec | undefined): readonly Toleration[] => {
  const given = spec?.tolerations ?? [];
  const all =
    spec?.hostNetwork === true
      ? [...tolerated, ['node.kubernetes.io/network-unavailable', 'NoSchedule'] as const]
      : tolerated;
  const added = all.map(([key, effect]): Toleration => ({ key, operator: 'Exists', effect }));
  return [...given, ...added.filter((one) => !given.some((other) => equal(one, other)))];
};

export interface Eligibility {
  /** A pod is to be made there. */
  readonly starts: boolean;
  /** A pod that is there may stay. */
  readonly stays: boolean;
}

export const eligibilityOf = ({ spec }: DaemonSet, node: Node): Eligibility => {
  const pod = spec.template.spec;
  const { name } = node.metadata;
  const named = pod?.nodeName === undefined || pod.nodeName === '' || pod.nodeName === name;
  if (!named || !allowsNode(pod ?? {}, node)) return { starts: false, stays: false };
  const tolerations = daemonTolerations(pod);
  const repelled = (...effects: readonly string[]): boolean =>
    untolerated(node.spec.taints, tolerations, effects) !== undefined;
  return repelled('NoSchedule', 'NoExecute')
    ? { starts: false, stays: !repelled('NoExecute') }
    : { starts: true, stays: true };
};
