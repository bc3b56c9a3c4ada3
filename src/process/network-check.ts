// GET /capstan/v1/network: has every node try its paths, for `capstan network check`.
import type { NodeProbe } from '../apiserver/node-gateway.js';
import { messageOf } from '../base/errors.js';
import type { Extension } from '../base/http.js';
import type { Informers } from '../client/informers.js';
import type { Node } from '../resources/generated/types.js';
import { nodes } from '../resources/kinds/nodes.js';
import type { NetworkPath } from '../resources/network-path.js';

const ask = async (
  { metadata, status }: Node,
  probe: NodeProbe,
  signal: AbortSignal,
): Promise<readonly NetworkPath[]> => {
  const { name } = metadata;
  const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  try {
    return await probe.paths({ name, address, port }, signal);
  } catch (error) {
    // A node that cannot even be asked is the first of the broken paths.
    const to = `node ${name}`;
    return [
      { kind: 'node', from: 'the API server', to, address, port, milliseconds: 0, problem: messageOf(error) },
    ];
  }
};

export const networkEndpoint = ({ view }: Informers, probe: NodeProbe): Extension => ({
  prefix: '/capstan/v1/network',
  handle: async ({ signal }) => {
    const answers = await Promise.all(view.list(nodes).map((node) => ask(node, probe, signal)));
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: [Buffer.from(JSON.stringify({ paths: answers.flat() }))],
    };
  },
});
