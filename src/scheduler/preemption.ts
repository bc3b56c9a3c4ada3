// Which pods of lower priority have to leave which node, so that a pod fits that fits nowhere now.
// Follows the DefaultPreemption plugin of kube-scheduler.
import { fromTimestamp } from '../base/clock.js';
import type { Pod, PodDisruptionBudget } from '../resources/generated/types.js';
import { selects } from '../resources/label-selector.js';
import { isDeleting } from '../resources/resource.js';
import type { Candidates } from './candidates.js';
import type { NodeTable } from './node-table.js';
import type { NodeView, PlacedPod, PodClass } from './placement.js';

export interface Preemption {
  readonly node: string;
  /** Pods that have to leave; those that leave already are not named. */
  readonly victims: readonly Pod[];
}

export interface PreemptionOptions {
  readonly table: NodeTable;
  /** Of the class of the pod that is to fit. */
  readonly candidates: Candidates;
  /** Of a namespace. */
  budgets(namespace: string): readonly PodDisruptionBudget[];
}

interface Choice extends Preemption {
  /** Victims whose budget allows no disruption. */
  readonly violations: number;
  readonly highest: number;
  readonly sum: number;
  /** When the youngest of the most important victims started. */
  readonly started: number;
}

/** So many nodes are worked out, and a tenth of all when that is more. */
const leastNodes = 100;

const startOf = ({ metadata, status }: Pod): number =>
  fromTimestamp(status?.startTime) ?? fromTimestamp(metadata.creationTimestamp) ?? 0;

/** The most important first: of equals, those that have run for longer. */
const byImportance = (a: PlacedPod, b: PlacedPod): number =>
  b.podClass.priority - a.podClass.priority || startOf(a.pod) - startOf(b.pod);

/** Splits pods by whether their budgets can bear their loss, budgets shrinking with each. */
const byBudget = (
  pods: readonly PlacedPod[],
  budgets: PreemptionOptions['budgets'],
): { readonly violating: readonly PlacedPod[]; readonly others: readonly PlacedPod[] } => {
  const left = new Map<string, number>();
  const violating: PlacedPod[] = [];
  const others: PlacedPod[] = [];
  for (const placed of pods) {
    const { namespace = '', name, labels } = placed.pod.metadata;
    let violates = false;
    for (const { metadata, spec, status } of budgets(namespace)) {
      if (!selects(spec.selector, labels) || status?.disruptedPods?.[name] !== undefined) continue;
      const allowed = (left.get(metadata.uid) ?? status?.disruptionsAllowed ?? 0) - 1;
      left.set(metadata.uid, allowed);
      if (allowed < 0) violates = true;
    }
    (violates ? violating : others).push(placed);
  }
  return { violating, others };
};

/** Takes everything of lower priority away, then gives back what may stay; the table is as before afterwards. */
const onNode = (
  node: NodeView,
  pod: PodClass,
  { table, candidates, budgets }: PreemptionOptions,
): Choice | undefined => {
  const lower = [...node.pods.values()].filter(({ podClass }) => podClass.priority < pod.priority);
  if (lower.length === 0) return undefined;
  const victims: PlacedPod[] = [];
  let violations = 0;
  for (const { pod: other } of lower) table.unassign(other.metadata.uid);
  const giveBack = (placed: PlacedPod): boolean => {
    table.assign(placed.pod, node.name, placed.podClass);
    if (candidates.rejection(node) === undefined) return true;
    table.unassign(placed.pod.metadata.uid);
    victims.push(placed);
    return false;
  };
  const enough = candidates.rejection(node) === undefined;
  if (enough) {
    const { violating, others } = byBudget([...lower].sort(byImportance), budgets);
    for (const placed of violating) if (!giveBack(placed)) violations += 1;
    for (const placed of others) giveBack(placed);
  }
  for (const placed of enough ? victims : lower) table.assign(placed.pod, node.name, placed.podClass);
  if (!enough) return undefined;
  victims.sort(byImportance);
  const highest = victims[0]?.podClass.priority ?? -Infinity;
  return {
    node: node.name,
    victims: victims.map((victim) => victim.pod).filter((victim) => !isDeleting(victim)),
    violations,
    highest,
    sum: victims.reduce((sum, { podClass }) => sum + podClass.priority, 0),
    started: Math.min(
      ...victims.filter(({ podClass }) => podClass.priority === highest).map((victim) => startOf(victim.pod)),
    ),
  };
};

/** Fewest broken budgets, then the least important victims, then few of them, then those that began last. */
const compare = (a: Choice, b: Choice): number =>
  a.violations - b.violations ||
  a.highest - b.highest ||
  a.sum - b.sum ||
  a.victims.length - b.victims.length ||
  b.started - a.started ||
  (a.node < b.node ? -1 : 1);

/** Undefined when no node would fit the pod even then. Leaves the table as it was. */
export const preemptionFor = (pod: PodClass, options: PreemptionOptions): Preemption | undefined => {
  const { table, candidates } = options;
  if (!pod.preempts) return undefined;
  const most = Math.max(leastNodes, Math.ceil(table.size / 10));
  const choices: Choice[] = [];
  for (const node of [...table.nodes()]) {
    if (candidates.rejection(node)?.preemptible !== true) continue;
    const choice = onNode(node, pod, options);
    if (choice === undefined) continue;
    choices.push(choice);
    if (choices.length === most) break;
  }
  return choices.sort(compare)[0];
};
