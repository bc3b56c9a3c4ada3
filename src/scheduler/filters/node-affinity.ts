// The node's labels must be what `nodeSelector` and the required node affinity ask for.
import { matchesTerm } from '../node-selector.js';
import type { Filter } from '../placement.js';

const reason = "node(s) didn't match Pod's node affinity/selector";

export const nodeAffinity: Filter = {
  name: 'node-affinity',
  reject: ({ pod: { spec } }, { node }) => {
    for (const [name, value] of Object.entries(spec.nodeSelector ?? {}))
      if (node.metadata.labels?.[name] !== value) return reason;
    const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required === undefined) return undefined;
    return required.nodeSelectorTerms.some((term) => matchesTerm(term, node)) ? undefined : reason;
  },
};
