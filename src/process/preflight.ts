// What must be so before a machine becomes a master or a node; each sentence names its fix.
import type { Instant } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import { addressNumber, overlap, type Cidr } from '../base/ipv4.js';
import { dnsSubdomainErrors } from '../resources/validation/names.js';

export interface PreflightFacts {
  readonly root: boolean;
  readonly now: Instant;
  readonly nodeName: string;
  readonly dataDir: string;
  /** What the data directory holds, as words for people; undefined: nothing of a cluster. */
  readonly dataDirHolds: string | undefined;
  /** With the flag that chooses another. */
  readonly busyPorts: readonly { readonly port: number; readonly flag: string }[];
  /** Why the container engine does not answer; undefined when it does, or is not needed. */
  readonly engineProblem: string | undefined;
  readonly cidrs: readonly { readonly flag: string; readonly cidr: string }[];
  readonly hostNetworks: readonly { readonly name: string; readonly cidr: string }[];
}

/** Before this, no version of this program existed: a clock that says so has not been set. */
const earliest = Date.UTC(2025, 0, 1);

/** Of `10.0.0.7/24`, the network 10.0.0.0/24. */
const networkOf = (text: string): Cidr | undefined => {
  const [address = '', length = ''] = text.split('/');
  const number = addressNumber(address);
  const bits = Number(length);
  return number === undefined ? undefined : { base: number - (number % 2 ** (32 - bits)), bits };
};

const clash = (a: string, b: string): boolean => {
  const [first, second] = [networkOf(a), networkOf(b)];
  return first !== undefined && second !== undefined && overlap(first, second);
};

const networkProblems = ({ cidrs, hostNetworks }: PreflightFacts): readonly string[] =>
  cidrs.flatMap(({ flag, cidr }, index) => [
    ...cidrs
      .slice(index + 1)
      .filter((other) => clash(cidr, other.cidr))
      .map(
        (other) =>
          `${flag} ${cidr} and ${other.flag} ${other.cidr} overlap: choose another network for one of them`,
      ),
    ...hostNetworks
      .filter((network) => clash(cidr, network.cidr))
      .map(
        (network) =>
          `${flag} ${cidr} overlaps with the network of this machine's interface ${network.name} (${network.cidr}): choose another with ${flag}`,
      ),
  ]);

/** All that is wrong; nothing when the machine is ready. */
export const preflightProblems = (facts: PreflightFacts): readonly string[] => {
  const { root, now, nodeName, dataDir, dataDirHolds, busyPorts, engineProblem } = facts;
  return [
    ...(root
      ? []
      : ['this user is not root, and only root may set up networks and mounts: run it with sudo']),
    ...(now >= earliest
      ? []
      : [
          `the clock says ${new Date(now).toISOString()}, which cannot be: set it, for example with \`date -s\` or chrony`,
        ]),
    ...dnsSubdomainErrors(nodeName).map(
      () =>
        `${JSON.stringify(nodeName)} cannot be the name of a node (lower-case letters, digits, "-" and "."): choose one with --node-name`,
    ),
    ...(dataDirHolds === undefined
      ? []
      : [
          `the data directory ${dataDir} is used already (${dataDirHolds}): choose another with --data-dir, or clear it with \`capstan reset --data-dir ${dataDir}\``,
        ]),
    ...busyPorts.map(
      ({ port, flag }) =>
        `port ${String(port)} is in use by another program: stop it, or choose another port with ${flag}`,
    ),
    ...(engineProblem === undefined ? [] : [engineProblem]),
    ...networkProblems(facts),
  ];
};

/** Throws Conflict with all of them. */
export const refuseUnready = (facts: PreflightFacts): void => {
  const problems = preflightProblems(facts);
  if (problems.length === 0) return;
  throw new ClusterError(
    'Conflict',
    `this machine is not ready, and nothing was changed:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
};
