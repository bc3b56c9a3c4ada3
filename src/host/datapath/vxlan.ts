// Pods of other nodes through a VXLAN device: works wherever the nodes reach each other by UDP. Nothing is learned from
// the wire: for each peer there is a route, a neighbour and a forwarding entry.
import { ClusterError } from '../../base/errors.js';
import { addressNumber } from '../../base/ipv4.js';
import type { LocalNode } from '../../network/datapath.js';
import type { Peer, PodNetworkBackend } from '../../network/pod-network.js';
import type { Commands } from './commands.js';
import {
  deleteRouteLine,
  ipBatch,
  linkOf,
  nodeDevice,
  ownRoutes,
  removeDevice,
  routeLine,
  sameRoute,
} from './links.js';
import type { Link, Route } from './links.js';

export interface VxlanOptions {
  readonly commands: Commands;
  /** Of all pods of the cluster: routes into it are Capstan's. */
  readonly podCidr: string;
  /** At most 15 characters; another instance on the same machine has another one. */
  readonly device: string;
  /** The same on all nodes; another cluster on the same machines has another one. */
  readonly vni: number;
  /** Flannel's is 8472. */
  readonly port: number;
}

/** Outer Ethernet, IP, UDP and VXLAN headers, in bytes. */
const overhead = 50;

/** Follows from the subnet, so that no node has to tell its own: locally administered, then the subnet's address. */
export const vtepMac = (subnet: string): string => {
  const number = addressNumber(subnet.split('/')[0] ?? '') ?? 0;
  const bytes = [0x0a, 0x58, 24, 16, 8, 0].map((part, index) => (index < 2 ? part : (number >>> part) & 255));
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
};

/** Follows from the cluster's pod network, which no other cluster on these machines may have. */
export const vniOf = (podCidr: string): number => (addressNumber(podCidr.split('/')[0] ?? '') ?? 256) >>> 8;

const gatewayOf = ({ subnet }: Pick<Peer, 'subnet'>): string => subnet.split('/')[0] ?? '';

interface Wanted {
  readonly node: LocalNode;
  readonly mtu: number;
  readonly under: string;
}

/** Whether the device can stay: what differs here cannot be changed on a living one. */
const fits = (link: Link | undefined, { node }: Wanted, { vni, port }: VxlanOptions): boolean => {
  const data = link?.linkinfo?.info_data;
  return (
    data?.id === vni &&
    data.port === port &&
    data.local === node.address &&
    link?.address === vtepMac(node.subnet)
  );
};

const hasAddress = (link: Link | undefined, address: string): boolean =>
  link?.addr_info?.some(({ local, prefixlen }) => local === address && prefixlen === 32) === true;

const deviceLines = (wanted: Wanted, options: VxlanOptions, link: Link | undefined): readonly string[] => {
  const { node, mtu, under } = wanted;
  const { device, vni, port } = options;
  const lines: string[] = [];
  if (!fits(link, wanted, options)) {
    if (link !== undefined) lines.push(`link del ${device}`);
    lines.push(
      `link add ${device} address ${vtepMac(node.subnet)} mtu ${String(mtu)} type vxlan id ${String(vni)} dev ${under} local ${node.address} dstport ${String(port)} nolearning`,
      `addr add ${gatewayOf(node)}/32 dev ${device}`,
    );
  } else {
    if (link?.mtu !== mtu) lines.push(`link set ${device} mtu ${String(mtu)}`);
    if (!hasAddress(link, gatewayOf(node)))
      lines.push(`addr flush dev ${device}`, `addr add ${gatewayOf(node)}/32 dev ${device}`);
  }
  return [...lines, `link set ${device} up`];
};

interface Entry {
  readonly mac: string;
  readonly address: string;
}

const forwardingEntries = async (
  { commands, device }: VxlanOptions,
  signal: AbortSignal,
): Promise<readonly Entry[]> => {
  const text = await commands.run('bridge', ['-j', 'fdb', 'show', 'dev', device], { signal });
  const entries = text.trim() === '' ? [] : (JSON.parse(text) as readonly { mac?: string; dst?: string }[]);
  return entries.flatMap(({ mac, dst }) =>
    mac === undefined || dst === undefined ? [] : [{ mac, address: dst }],
  );
};

const neighbours = async (
  { commands, device }: VxlanOptions,
  signal: AbortSignal,
): Promise<readonly Entry[]> => {
  const text = await commands.run('ip', ['-j', 'neigh', 'show', 'dev', device, 'nud', 'permanent'], {
    signal,
  });
  const entries =
    text.trim() === '' ? [] : (JSON.parse(text) as readonly { dst?: string; lladdr?: string }[]);
  return entries.flatMap(({ dst, lladdr }) =>
    dst === undefined || lladdr === undefined ? [] : [{ mac: lladdr, address: dst }],
  );
};

const minus = (some: readonly Entry[], others: readonly Entry[]): readonly Entry[] =>
  some.filter(({ mac, address }) => !others.some((other) => other.mac === mac && other.address === address));

const applyForwarding = async (
  options: VxlanOptions,
  peers: readonly Peer[],
  signal: AbortSignal,
): Promise<void> => {
  const present = await forwardingEntries(options, signal);
  const wanted = peers.map(({ subnet, address }) => ({ mac: vtepMac(subnet), address }));
  const line = (verb: string, { mac, address }: Entry): string =>
    `fdb ${verb} ${mac} dev ${options.device} dst ${address} self${verb === 'del' ? '' : ' permanent'}`;
  const lines = [
    ...minus(present, wanted).map((entry) => line('del', entry)),
    ...minus(wanted, present).map((entry) => line('append', entry)),
  ];
  if (lines.length > 0)
    await options.commands.run('bridge', ['-batch', '-'], { input: `${lines.join('\n')}\n`, signal });
};

const applyPeers = async (
  options: VxlanOptions,
  peers: readonly Peer[],
  signal: AbortSignal,
): Promise<readonly Route[]> => {
  const { commands, device } = options;
  await applyForwarding(options, peers, signal);
  const presentNeighbours = await neighbours(options, signal);
  const wantedNeighbours = peers.map((peer) => ({ mac: vtepMac(peer.subnet), address: gatewayOf(peer) }));
  const present = await ownRoutes(commands, options.podCidr, signal);
  const routes = peers.map((peer): Route => ({ to: peer.subnet, via: gatewayOf(peer), device }));
  await ipBatch(
    commands,
    [
      ...present.filter(({ to }) => !routes.some((route) => route.to === to)).map(deleteRouteLine),
      ...minus(presentNeighbours, wantedNeighbours)
        .filter(({ address }) => !wantedNeighbours.some((wanted) => wanted.address === address))
        .map(({ address }) => `neigh del ${address} dev ${device}`),
      ...minus(wantedNeighbours, presentNeighbours).map(
        ({ mac, address }) => `neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`,
      ),
      ...routes
        .filter((route) => !present.some((other) => sameRoute(route, other)))
        .map((route) => routeLine(route, ' onlink')),
    ],
    signal,
  );
  return routes;
};

export const createVxlan = (options: VxlanOptions): PodNetworkBackend => {
  const { commands, device, vni, port } = options;
  /** Of the last `apply`; undefined: what the kernel holds is not known. */
  let routes: readonly Route[] | undefined;

  const makeDevice = async (node: LocalNode, signal: AbortSignal): Promise<void> => {
    const under = await nodeDevice(commands, node.address, signal);
    const wanted = { node, under: under.ifname, mtu: under.mtu - overhead };
    const link = await linkOf(commands, device, signal);
    try {
      await ipBatch(commands, deviceLines(wanted, options, link), signal);
    } catch (error) {
      throw new ClusterError(
        'ServiceUnavailable',
        `the VXLAN device ${device} (VNI ${String(vni)}, UDP port ${String(port)}) cannot be made; another overlay on this machine may have the same VNI or port, or the kernel has no VXLAN: choose another port or backend`,
        { cause: error },
      );
    }
  };

  return {
    name: 'vxlan',
    apply: async (node, peers, signal) => {
      routes = undefined;
      await makeDevice(node, signal);
      routes = await applyPeers(options, peers, signal);
    },
    // A device that is gone, down or flushed has lost its routes.
    check: async (signal) => {
      const present = await ownRoutes(commands, options.podCidr, signal);
      const holds =
        routes !== undefined &&
        routes.every((route) => present.some((other) => sameRoute(route, other))) &&
        (routes.length > 0 || (await linkOf(commands, device, signal)) !== undefined);
      if (!holds) routes = undefined;
      return holds;
    },
    mtu: async (address, signal) => (await nodeDevice(commands, address, signal)).mtu - overhead,
    remove: async (signal) => {
      routes = undefined;
      await removeDevice(commands, device, signal);
    },
  };
};
