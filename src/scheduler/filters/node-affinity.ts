// The node's labels must be what `nodeSelector` and the required node affinity ask for.
import { allowsNode } from '../../resources/node-affinity.js';
import type { Filter } from '../placement.js';

export const nodeAffinity: Filter = {
  name: 'node-affinity',
  reject: ({ pod: { spec } }, { node }) =>
    allowsNode(spec, node) ? undefined : "node(s) didn't match Pod's node affinity/selector",
};
