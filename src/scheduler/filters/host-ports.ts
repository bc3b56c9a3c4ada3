// A host port can be had once per address, and 0.0.0.0 is every address.
import type { Filter, NodeView } from '../placement.js';

const wildcard = '0.0.0.0';

const isTaken = (port: string, { hostPorts }: NodeView): boolean => {
  if (hostPorts.has(port)) return true;
  const [protocol = '', address = '', number = ''] = port.split('/');
  if (address !== wildcard) return hostPorts.has(`${protocol}/${wildcard}/${number}`);
  for (const used of hostPorts.keys())
    if (used.startsWith(`${protocol}/`) && used.endsWith(`/${number}`)) return true;
  return false;
};

export const hostPorts: Filter = {
  name: 'host-ports',
  preemptible: true,
  reject: (pod, node) =>
    pod.hostPorts.some((port) => isTaken(port, node))
      ? "node(s) didn't have free ports for the requested pod ports"
      : undefined,
  detail: (pod) => `needs ${pod.hostPorts.map((port) => port.split('/')[2]).join(', ')}`,
};
