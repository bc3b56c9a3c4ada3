// Pods of other nodes by one route for each node: the fastest way where all nodes share one network segment.
import type { Peer, PodNetworkBackend } from '../../network/pod-network.js';
import type { Commands } from './commands.js';
import {
  deleteRouteLine,
  ipBatch,
  nodeDevice,
  ownRoutes,
  removeDevice,
  routeLine,
  sameRoute,
} from './links.js';
import type { Route } from './links.js';

export interface HostGatewayOptions {
  readonly commands: Commands;
  /** Of all pods of the cluster: routes into it are Capstan's. */
  readonly podCidr: string;
  /** The VXLAN device that goes when this backend takes over. */
  readonly device: string;
}

export const createHostGateway = ({ commands, podCidr, device }: HostGatewayOptions): PodNetworkBackend => {
  /** Of the last `apply`; undefined: what the kernel holds is not known. */
  let applied: readonly Route[] | undefined;

  return {
    name: 'host-gw',
    apply: async (node, peers, signal) => {
      const { ifname } = await nodeDevice(commands, node.address, signal);
      if (applied === undefined) await removeDevice(commands, device, signal);
      const wanted = peers.map(({ subnet, address }: Peer) => ({ to: subnet, via: address, device: ifname }));
      const present = await ownRoutes(commands, podCidr, signal);
      applied = undefined;
      await ipBatch(
        commands,
        [
          ...present.filter(({ to }) => !wanted.some((route) => route.to === to)).map(deleteRouteLine),
          ...wanted
            .filter((route) => !present.some((other) => sameRoute(route, other)))
            .map((route) => routeLine(route)),
        ],
        signal,
      );
      applied = wanted;
    },
    check: async (signal) => {
      const wanted = applied;
      const present = await ownRoutes(commands, podCidr, signal);
      const holds = wanted?.every((route) => present.some((other) => sameRoute(route, other))) === true;
      if (!holds) applied = undefined;
      return holds;
    },
    mtu: async (address, signal) => (await nodeDevice(commands, address, signal)).mtu,
    remove: async (signal) => {
      applied = undefined;
      const routes = await ownRoutes(commands, podCidr, signal);
      await ipBatch(commands, routes.map(deleteRouteLine), signal);
    },
  };
};
