// Connects sandboxes to the bridge of the pods by hand: a pair of virtual interfaces, an address, a route. The engine's own
// way costs three times the CPU of a container's start (it runs itself again several times for each endpoint).
import { access, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Logger } from '../../base/log.js';
import { createCommands } from '../datapath/commands.js';
import type { Commands } from '../datapath/commands.js';

export interface PodLink {
  /** Of the sandbox. */
  readonly id: string;
  /** Of its process, as this process sees it. */
  readonly pid: number;
  readonly address: string;
  /** Bits of the node's subnet. */
  readonly prefix: number;
  readonly gateway: string;
  /** Name of the device, and the largest packet in bytes. */
  readonly bridge: string;
  readonly mtu: number;
}

export interface PodLinks {
  /** False where only the engine can do it: no rights, no programs, an engine elsewhere. Asked once. */
  available(signal: AbortSignal): Promise<boolean>;
  /** Safe to repeat: what is there already is completed. */
  attach(link: PodLink, signal: AbortSignal): Promise<void>;
  /** The sandbox hangs on this bridge. */
  isAttached(id: string, bridge: string): Promise<boolean>;
  bridgeExists(bridge: string): Promise<boolean>;
}

/** Fifteen characters, as many as the kernel takes. */
export const linkName = (id: string): string => `cap${id.slice(0, 12)}`;

/** Follows from the address, so that neighbours need not learn who has it now. */
export const hardwareAddress = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const device = (name: string): string => `/sys/class/net/${name}`;

const isAttached = async (id: string, bridge: string): Promise<boolean> => {
  const master = await readlink(`${device(linkName(id))}/master`).catch(() => '');
  return basename(master) === bridge;
};

/** Both ends at once; the kernel removes both when the sandbox's network namespace goes. */
const pairOf = ({ id, pid, address, mtu, bridge }: PodLink): string =>
  `link add ${linkName(id)} mtu ${mtu} master ${bridge} type veth peer name eth0 mtu ${mtu} address ${hardwareAddress(address)} netns ${pid}`;

const outside = ({ id, bridge }: PodLink): readonly string[] => [
  `link set dev ${linkName(id)} master ${bridge} addrgenmode none up`,
  `link set dev ${linkName(id)} type bridge_slave hairpin on`,
];

const inside = ({ address, prefix, gateway }: PodLink): readonly string[] => [
  'link set dev eth0 addrgenmode none up',
  `addr replace ${address}/${prefix} dev eth0`,
  `route replace default via ${gateway}`,
];

const lines = (commands: readonly string[]): string => `${commands.join('\n')}\n`;

const canAttach = async (commands: Commands, signal: AbortSignal): Promise<boolean> => {
  try {
    const answers = await Promise.all([
      commands.ask('ip', ['-V'], { signal }),
      commands.ask('nsenter', ['--version'], { signal }),
    ]);
    return answers.every(({ code }) => code === 0);
  } catch (error) {
    if (signal.aborted) throw error;
    return false; // not installed here
  }
};

export const createPodLinks = (
  { host, log }: { readonly host: string; readonly log: Logger },
  commands: Commands = createCommands(),
): PodLinks => {
  let able: Promise<boolean> | undefined;
  const decide = async (signal: AbortSignal): Promise<boolean> => {
    const local = host.startsWith('unix://') && process.getuid?.() === 0;
    const found = local && (await canAttach(commands, signal));
    if (!found) log.info({}, 'the engine connects pods to their network itself, which is slower');
    return found;
  };
  return {
    available: async (signal) => {
      const asked = (able ??= decide(signal));
      try {
        return await asked;
      } catch (error) {
        if (able === asked) able = undefined;
        throw error;
      }
    },
    attach: async (link, signal) => {
      const known = await exists(device(linkName(link.id)));
      await commands.run('ip', ['-batch', '-'], {
        input: lines([...(known ? [] : [pairOf(link)]), ...outside(link)]),
        signal,
      });
      await commands.run('nsenter', ['-t', String(link.pid), '-n', 'ip', '-batch', '-'], {
        input: lines(inside(link)),
        signal,
      });
    },
    isAttached,
    bridgeExists: (bridge) => exists(device(bridge)),
  };
};
