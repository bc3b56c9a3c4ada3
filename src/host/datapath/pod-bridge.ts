// The bridge of this node's pods, as the proxy needs it: packets are routed, packets between two pods of the bridge meet
// the proxy too (so that answers of a service come from the service), and a pod can reach itself through a service.
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { Commands } from './commands.js';

export interface PodBridge {
  /** Once for each process: what holds for the whole node. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Sets what a new bridge or a new port lacks; costs one look. The engine makes both when pods come. */
  ensure(signal: AbortSignal): Promise<void>;
}

interface BridgeLink {
  readonly ifname: string;
  readonly master?: string;
  readonly linkinfo?: {
    readonly info_data?: { readonly nf_call_iptables?: number };
    readonly info_slave_data?: { readonly hairpin?: boolean };
  };
}

export interface PodBridgeOptions {
  readonly commands: Commands;
  /** Name of the device. */
  readonly bridge: string;
  readonly log: Logger;
}

const filterSetting = 'net.bridge.bridge-nf-call-iptables';

const correction = (link: BridgeLink, bridge: string): readonly string[] => {
  const { ifname, master, linkinfo } = link;
  if (ifname === bridge && linkinfo?.info_data?.nf_call_iptables === 0)
    return [`link set dev ${ifname} type bridge nf_call_iptables 1`];
  if (master === bridge && linkinfo?.info_slave_data?.hairpin === false)
    return [`link set dev ${ifname} type bridge_slave hairpin on`];
  return [];
};

export const createPodBridge = ({ commands, bridge, log }: PodBridgeOptions): PodBridge => ({
  prepare: async (signal) => {
    await commands.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1'], { signal });
    const { code } = await commands.ask('sysctl', ['-n', filterSetting], { signal });
    if (code === 0) return;
    try {
      await commands.run('modprobe', ['br_netfilter'], { signal });
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn(
        { error: messageOf(error) },
        'the kernel module br_netfilter cannot be loaded: a service whose pod is on the same node as its client is not reached',
      );
    }
  },
  ensure: async (signal) => {
    const text = await commands.run('ip', ['-j', '-d', 'link', 'show'], { signal });
    const lines = (JSON.parse(text) as readonly BridgeLink[]).flatMap((link) => correction(link, bridge));
    // A port may go while this is done; the next look sees what is left.
    if (lines.length > 0)
      await commands.ask('ip', ['-force', '-batch', '-'], { input: `${lines.join('\n')}\n`, signal });
  },
});
