// Node selector terms: alternatives, each a list of requirements on labels and fields.
import type { Node, NodeSelectorRequirement, NodeSelectorTerm } from '../resources/generated/types.js';
import { matches, requirementsOf } from '../resources/label-selector.js';

type Expressions = readonly NodeSelectorRequirement[] | undefined;

const fits = (expressions: Expressions, values: Readonly<Record<string, string>> | undefined): boolean =>
  expressions === undefined || matches(requirementsOf({ matchExpressions: expressions }), values);

/** A term that asks nothing fits no node, as in Kubernetes. */
export const matchesTerm = ({ matchExpressions, matchFields }: NodeSelectorTerm, node: Node): boolean => {
  if ((matchExpressions?.length ?? 0) === 0 && (matchFields?.length ?? 0) === 0) return false;
  return (
    fits(matchExpressions, node.metadata.labels) && fits(matchFields, { 'metadata.name': node.metadata.name })
  );
};
