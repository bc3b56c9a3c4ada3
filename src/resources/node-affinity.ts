// Which nodes a pod's node selector and required node affinity allow, and the affinity that names one node.
import type {
  Node,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
} from './generated/types.js';
import { matches, requirementsOf } from './label-selector.js';
import type { Labels } from './label-selector.js';

type Expressions = readonly NodeSelectorRequirement[] | undefined;

const fits = (expressions: Expressions, values: Labels | undefined): boolean =>
  expressions === undefined || matches(requirementsOf({ matchExpressions: expressions }), values);

/** A term that asks nothing fits no node, as in Kubernetes. */
export const matchesTerm = ({ matchExpressions, matchFields }: NodeSelectorTerm, node: Node): boolean =>
  ((matchExpressions?.length ?? 0) > 0 || (matchFields?.length ?? 0) > 0) &&
  fits(matchExpressions, node.metadata.labels) &&
  fits(matchFields, { 'metadata.name': node.metadata.name });

/** Terms are alternatives. */
export const matchesSelector = ({ nodeSelectorTerms }: NodeSelector, node: Node): boolean =>
  nodeSelectorTerms.some((term) => matchesTerm(term, node));

const requiredTerms = ({ affinity }: Pick<PodSpec, 'affinity'>): readonly NodeSelectorTerm[] | undefined =>
  affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;

export const allowsNode = (spec: Pick<PodSpec, 'nodeSelector' | 'affinity'>, node: Node): boolean => {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  return selected && (requiredTerms(spec)?.some((term) => matchesTerm(term, node)) ?? true);
};

/** Replaces the required terms: the node is named, and whoever names it has looked at the terms. */
export const pinnedTo = (node: string, affinity: PodSpec['affinity']): NonNullable<PodSpec['affinity']> => ({
  ...affinity,
  nodeAffinity: {
    ...affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
    },
  },
});

/** The node that a pod is on, or that its affinity names. */
export const targetNode = (spec: PodSpec): string | undefined => {
  if (spec.nodeName !== undefined && spec.nodeName !== '') return spec.nodeName;
  for (const { matchFields } of requiredTerms(spec) ?? [])
    for (const { key, operator, values } of matchFields ?? [])
      if (key === 'metadata.name' && operator === 'In' && values?.length === 1) return values[0];
  return undefined;
};
