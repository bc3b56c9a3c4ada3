// The pods' bridge made without the engine: Podman keeps neither the name nor the options that are asked for.
import { access } from 'node:fs/promises';
import { createCommands } from '../datapath/commands.js';
import type { Engine } from './engine.js';
import { bridgeName, defaultTraits, networkName } from './network.js';
import type { MadeNetwork, NetworkOptions, PodNetwork } from './network.js';

const exists = (bridge: string): Promise<boolean> =>
  access(`/sys/class/net/${bridge}`).then(
    () => true,
    () => false,
  );

export const createOwnBridge = (engine: Engine, options: NetworkOptions): PodNetwork => {
  const commands = createCommands();
  const bridge = options.bridge ?? bridgeName(engine);
  let made: { readonly subnet: string; readonly network: Promise<MadeNetwork> } | undefined;

  const make = async (subnet: string, gateway: string, signal: AbortSignal): Promise<MadeNetwork> => {
    const { mtu, masquerade } = await (options.traits?.(signal) ?? defaultTraits);
    const known = await exists(bridge);
    const [, prefix = '24'] = subnet.split('/');
    const lines = [
      ...(known ? [] : [`link add ${bridge} mtu ${mtu} type bridge`]),
      `addr replace ${gateway}/${prefix} dev ${bridge}`,
      `link set dev ${bridge} up`,
    ];
    await commands.run('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n`, signal });
    if (masquerade)
      engine.log.warn({ bridge }, 'pods reach other networks only where these know the way back to the pods');
    if (!known) engine.log.info({ bridge, subnet }, 'made the network of pods');
    return { bridge, mtu };
  };

  return {
    name: networkName(engine),
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
    forget: () => {
      made = undefined;
    },
  };
};

/** Nothing to do where there is none. */
export const removeOwnBridge = async (
  identity: Pick<Engine, 'instance' | 'node'>,
  signal: AbortSignal,
): Promise<boolean> => {
  const bridge = bridgeName(identity);
  if (!(await exists(bridge))) return false;
  const { code } = await createCommands().ask('ip', ['link', 'delete', bridge], { signal });
  return code === 0;
};
