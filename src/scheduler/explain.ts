// Why a pod fits nowhere: per reason, how many nodes it kept out, and by how much. Kubernetes' sentence.
import type { Candidates } from './candidates.js';
import type { NodeTable } from './node-table.js';
import type { Filter, NodeView, PodClass } from './placement.js';

interface Rejected {
  readonly filter: Filter | undefined;
  readonly nodes: NodeView[];
}

export const explainUnschedulable = (candidates: Candidates, table: NodeTable, pod: PodClass): string => {
  if (table.size === 0) return 'no nodes available to schedule pods';
  const reasons = new Map<string, Rejected>();
  for (const node of table.nodes()) {
    const rejected = candidates.rejection(node);
    if (rejected === undefined) continue;
    const known = reasons.get(rejected.reason);
    if (known === undefined) reasons.set(rejected.reason, { filter: rejected.filter, nodes: [node] });
    else known.nodes.push(node);
  }
  const parts = [...reasons]
    .sort(([a, left], [b, right]) => right.nodes.length - left.nodes.length || (a < b ? -1 : 1))
    .map(([reason, { filter, nodes }]) => {
      const detail = filter?.detail?.(pod, reason, nodes);
      return `${String(nodes.length)} ${reason}${detail === undefined ? '' : ` (${detail})`}`;
    });
  return `0/${String(table.size)} nodes are available: ${parts.join(', ')}.`;
};
