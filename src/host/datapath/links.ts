// What `ip` and `bridge` say of the kernel, as data.
import { ClusterError } from '../../base/errors.js';
import { contains, parseCidr } from '../../base/ipv4.js';
import type { Commands } from './commands.js';

/** Marks routes as Capstan's, so that a process finds what an earlier one left (`ip route … proto`). */
export const routeProtocol = '196';

export interface Route {
  /** `10.244.2.0/24`. */
  readonly to: string;
  /** IPv4 of the next hop; '' without one. */
  readonly via: string;
  readonly device: string;
}

interface JsonRoute {
  readonly dst?: string;
  readonly gateway?: string;
  readonly dev?: string;
}

const parse = <T>(text: string): readonly T[] => {
  const value: unknown = text.trim() === '' ? [] : JSON.parse(text);
  return Array.isArray(value) ? (value as T[]) : [];
};

/** Routes into the pod network that Capstan made, in this process or an earlier one. */
export const ownRoutes = async (
  commands: Commands,
  podCidr: string,
  signal: AbortSignal,
): Promise<readonly Route[]> => {
  const network = parseCidr(podCidr);
  const inside = (subnet: string): boolean => {
    const cidr = parseCidr(subnet);
    return network !== undefined && cidr !== undefined && contains(network, cidr.base);
  };
  const text = await commands.run('ip', ['-j', '-4', 'route', 'show', 'proto', routeProtocol], { signal });
  return parse<JsonRoute>(text).flatMap(({ dst, gateway = '', dev = '' }) =>
    dst === undefined || !inside(dst) ? [] : [{ to: dst, via: gateway, device: dev }],
  );
};

export interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly address?: string;
  readonly flags?: readonly string[];
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: {
      readonly id?: number;
      readonly local?: string;
      readonly port?: number;
      readonly learning?: boolean;
    };
    readonly info_slave_data?: { readonly hairpin?: boolean };
  };
  readonly addr_info?: readonly {
    readonly family?: string;
    readonly local?: string;
    readonly prefixlen?: number;
  }[];
}

/** With details and addresses; undefined when there is no such device. */
export const linkOf = async (
  commands: Commands,
  device: string,
  signal: AbortSignal,
): Promise<Link | undefined> => {
  const { code, stdout, stderr } = await commands.ask('ip', ['-j', '-d', 'addr', 'show', 'dev', device], {
    signal,
  });
  if (code === 0) return parse<Link>(stdout).find(({ ifname }) => ifname === device);
  if (stderr.includes('does not exist')) return undefined;
  throw new Error(`ip addr show dev ${device} failed: ${stderr.trim()}`);
};

/** The device that has the address. */
const linkWithAddress = async (
  commands: Commands,
  address: string,
  signal: AbortSignal,
): Promise<Link | undefined> => {
  const text = await commands.run('ip', ['-j', '-4', 'addr', 'show'], { signal });
  return parse<Link>(text).find(({ addr_info }) => addr_info?.some(({ local }) => local === address));
};

/** Runs all lines in one process, whichever of them fail; throws what failed in the end. */
export const ipBatch = async (
  commands: Commands,
  lines: readonly string[],
  signal: AbortSignal,
): Promise<void> => {
  if (lines.length > 0)
    await commands.run('ip', ['-force', '-batch', '-'], { input: `${lines.join('\n')}\n`, signal });
};

export const routeLine = ({ to, via, device }: Route, options = ''): string =>
  `route replace ${to}${via === '' ? '' : ` via ${via}`} dev ${device} proto ${routeProtocol}${options}`;

export const deleteRouteLine = ({ to, device }: Route): string =>
  `route del ${to} dev ${device} proto ${routeProtocol}`;

export const sameRoute = (a: Route, b: Route): boolean =>
  a.to === b.to && a.via === b.via && a.device === b.device;

export const removeDevice = async (
  commands: Commands,
  device: string,
  signal: AbortSignal,
): Promise<void> => {
  if ((await linkOf(commands, device, signal)) !== undefined)
    await commands.run('ip', ['link', 'del', device], { signal });
};

/** The device by which other nodes reach this one. Throws ServiceUnavailable when the machine has no such address. */
export const nodeDevice = async (commands: Commands, address: string, signal: AbortSignal): Promise<Link> => {
  const link = await linkWithAddress(commands, address, signal);
  if (link !== undefined) return link;
  throw new ClusterError(
    'ServiceUnavailable',
    `no network device of this machine has the node's address ${address}: set --advertise-address to one that it has`,
  );
};
