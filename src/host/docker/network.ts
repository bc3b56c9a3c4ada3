// The bridge network of a node's pods: made when the first sandbox needs it, and again if someone removed it.
import { createHash } from 'node:crypto';
import { ClusterError, hasCode } from '../../base/errors.js';
import { label } from '../../node/labels.js';
import { call } from './engine.js';
import type { Engine } from './engine.js';

export interface NetworkOptions {
  /** Name in the engine; follows from instance and node when absent. */
  readonly name?: string | undefined;
  /** Name of the bridge device, at most 15 characters; follows from instance and node when absent. */
  readonly bridge?: string | undefined;
  /** Asked for when the network is made; `defaultTraits` when absent. */
  readonly traits?: ((signal: AbortSignal) => Promise<NetworkTraits>) | undefined;
}

export interface NetworkTraits {
  /** Largest packet, in bytes. */
  readonly mtu: number;
  /** The engine rewrites the source of what leaves the node. */
  readonly masquerade: boolean;
}

/** Leaves room for an overlay. */
export const defaultTraits: NetworkTraits = { mtu: 1450, masquerade: true };

export interface MadeNetwork {
  /** Name of its bridge device. */
  readonly bridge: string;
  /** Largest packet, in bytes. */
  readonly mtu: number;
}

export interface PodNetwork {
  readonly name: string;
  /** Makes the network, or finds the one that is there. */
  ensure(subnet: string, gateway: string, signal: AbortSignal): Promise<MadeNetwork>;
  /** The network may be gone: look again at the next `ensure`. */
  forget(): void;
}

interface Inspected {
  readonly Id: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null };
  readonly Containers?: Readonly<Record<string, unknown>> | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

const bridgeOption = 'com.docker.network.bridge.name';
const mtuOption = 'com.docker.network.driver.mtu';
const usualMtu = 1500;

/** What runs on it without the engine's knowledge. */
const linkedPods = async (engine: Engine, signal: AbortSignal): Promise<number> => {
  const labels = [`${label.instance}=${engine.instance}`, `${label.node}=${engine.node}`, label.subnet];
  const filters = { label: labels, status: ['running'] };
  const found = await call(engine, signal, () => engine.docker.listContainers({ filters } as object));
  return found.length;
};

export const networkName = ({ instance, node }: Pick<Engine, 'instance' | 'node'>): string =>
  `capstan-${instance}-${node}`;

/** Interface names hold 15 characters. */
export const bridgeName = ({ instance, node }: Pick<Engine, 'instance' | 'node'>): string =>
  `cap-${createHash('sha256').update(`${instance}\0${node}`).digest('hex').slice(0, 8)}`;

const inspect = async (engine: Engine, name: string, signal: AbortSignal): Promise<Inspected | undefined> => {
  try {
    return await call(engine, signal, () => engine.docker.getNetwork(name).inspect() as Promise<Inspected>);
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
};

/** Undefined when it does not fit and has been removed. Throws Conflict when it does not fit and is in use. */
const checked = async (
  engine: Engine,
  found: Inspected,
  wanted: { readonly name: string; readonly subnet: string; readonly signal: AbortSignal },
): Promise<MadeNetwork | undefined> => {
  const { name, subnet, signal } = wanted;
  if (found.Labels?.[label.instance] !== engine.instance)
    throw new ClusterError(
      'Conflict',
      `the engine at ${engine.host} has a network ${name} that is not Capstan's: remove it with \`docker network rm ${name}\``,
    );
  const present = found.IPAM?.Config?.[0]?.Subnet;
  if (present === subnet)
    return {
      bridge: found.Options?.[bridgeOption] ?? bridgeName(engine),
      mtu: Number(found.Options?.[mtuOption] ?? usualMtu),
    };
  const used = Object.keys(found.Containers ?? {}).length > 0 || (await linkedPods(engine, signal)) > 0;
  if (used)
    throw new ClusterError(
      'Conflict',
      `network ${name} has the pod CIDR ${present ?? 'unknown'}, not ${subnet}, and pods still use it: it changes when they are gone`,
    );
  engine.log.info({ network: name, from: present, to: subnet }, 'pod CIDR changed: making the network again');
  await call(engine, signal, () => engine.docker.getNetwork(found.Id).remove());
  return undefined;
};

export const createPodNetwork = (engine: Engine, options: NetworkOptions): PodNetwork => {
  const name = options.name ?? networkName(engine);
  /** Shared by all who ask at the same time. */
  let made: { readonly subnet: string; readonly network: Promise<MadeNetwork> } | undefined;

  const make = async (subnet: string, gateway: string, signal: AbortSignal): Promise<MadeNetwork> => {
    const found = await inspect(engine, name, signal);
    const usable = found && (await checked(engine, found, { name, subnet, signal }));
    if (usable !== undefined) return usable;
    const { mtu, masquerade } = await (options.traits?.(signal) ?? defaultTraits);
    const bridge = options.bridge ?? bridgeName(engine);
    await call(engine, signal, () =>
      engine.docker.createNetwork({
        Name: name,
        CheckDuplicate: true,
        Driver: 'bridge',
        IPAM: { Driver: 'default', Config: [{ Subnet: subnet, Gateway: gateway }] },
        Options: {
          [bridgeOption]: bridge,
          'com.docker.network.bridge.enable_ip_masquerade': String(masquerade),
          [mtuOption]: String(mtu),
        },
        Labels: { [label.instance]: engine.instance, [label.node]: engine.node },
        abortSignal: signal,
      }),
    );
    engine.log.info({ network: name, subnet }, 'made the network of pods');
    return { bridge, mtu };
  };

  const forget = (): void => {
    made = undefined;
  };

  return {
    name,
    ensure: async (subnet, gateway, signal) => {
      if (made?.subnet !== subnet) made = { subnet, network: make(subnet, gateway, signal) };
      const current = made;
      try {
        return await current.network;
      } catch (error) {
        if (made === current) made = undefined;
        throw error;
      }
    },
    forget,
  };
};
