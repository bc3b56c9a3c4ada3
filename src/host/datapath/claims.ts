// Address ranges that this machine uses already, other installations of Capstan among them: two networks of the same
// addresses on one machine would take each other's packets.
import { ClusterError } from '../../base/errors.js';
import { addressNumber, overlap, parseCidr } from '../../base/ipv4.js';
import type { Cidr } from '../../base/ipv4.js';
import type { Commands } from './commands.js';
import { routeProtocol } from './links.js';
import { tablePrefix } from './names.js';
import { podsSet, servicesSet } from './ruleset.js';

export interface Ranges {
  readonly podCidr: string;
  readonly serviceCidr: string;
}

interface Claim {
  readonly range: string;
  /** `device eth0`, `another Capstan on this machine`. */
  readonly of: string;
}

interface JsonRoute {
  readonly dst?: string;
  readonly dev?: string;
  readonly protocol?: string;
}

const cidrOf = (text: string): Cidr | undefined => {
  if (text.includes('/')) return parseCidr(text);
  const base = addressNumber(text);
  return base === undefined ? undefined : { base, bits: 32 };
};

/** Routes of other networks; those to the nodes of any Capstan are told by its table. */
const routeClaims = async (
  commands: Commands,
  ownDevices: readonly string[],
  signal: AbortSignal,
): Promise<readonly Claim[]> => {
  const text = await commands.run('ip', ['-j', '-4', 'route', 'show'], { signal });
  const routes = text.trim() === '' ? [] : (JSON.parse(text) as readonly JsonRoute[]);
  return routes.flatMap(({ dst = 'default', dev = '', protocol }) =>
    dst === 'default' || protocol === routeProtocol || ownDevices.includes(dev)
      ? []
      : [{ range: dst, of: `device ${dev}` }],
  );
};

/** What other installations wrote into their tables. */
const tableClaims = async (
  commands: Commands,
  ownTable: string,
  signal: AbortSignal,
): Promise<readonly Claim[]> => {
  const listing = await commands.run('nft', ['list', 'tables', 'ip'], { signal });
  const others = listing
    .split('\n')
    .map((line) => /^table ip (\S+)$/.exec(line.trim())?.[1] ?? '')
    .filter((table) => table.startsWith(tablePrefix) && table !== ownTable);
  const claims: Claim[] = [];
  for (const table of others)
    for (const set of [podsSet, servicesSet]) {
      const { stdout } = await commands.ask('nft', ['list', 'set', 'ip', table, set], { signal });
      const range = /elements = \{ (\S+) \}/.exec(stdout)?.[1];
      if (range !== undefined) claims.push({ range, of: 'another Capstan on this machine' });
    }
  return claims;
};

const flags: Readonly<Record<keyof Ranges, string>> = {
  podCidr: '--pod-cidr',
  serviceCidr: '--service-cidr',
};

const refuse = (ranges: Ranges, claims: readonly Claim[]): void => {
  for (const key of ['podCidr', 'serviceCidr'] as const) {
    const cidr = cidrOf(ranges[key]);
    const taken = claims.find(({ range }) => {
      const other = cidrOf(range);
      return cidr !== undefined && other !== undefined && overlap(cidr, other);
    });
    if (taken !== undefined)
      throw new ClusterError(
        'Conflict',
        `${flags[key]} ${ranges[key]} overlaps ${taken.range} of ${taken.of}: choose another network with ${flags[key]}`,
      );
  }
};

/** Throws Conflict, naming the flag to change, when a range is not free. */
export const refuseTaken = async (
  commands: Commands,
  own: Ranges & { readonly table: string; readonly devices: readonly string[] },
  signal: AbortSignal,
): Promise<void> => {
  const { podCidr, serviceCidr } = own;
  const [pods, services] = [cidrOf(podCidr), cidrOf(serviceCidr)];
  if (pods !== undefined && services !== undefined && overlap(pods, services))
    throw new ClusterError(
      'Conflict',
      `--service-cidr ${serviceCidr} overlaps --pod-cidr ${podCidr}: choose another network for one of them`,
    );
  refuse({ podCidr, serviceCidr }, [
    ...(await routeClaims(commands, own.devices, signal)),
    ...(await tableClaims(commands, own.table, signal)),
  ]);
};
