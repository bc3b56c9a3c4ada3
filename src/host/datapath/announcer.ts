// Answers for addresses of load balancers on the node's network: they stand on a device of Capstan's own, the kernel
// answers ARP for them on every device, and gratuitous ARP tells those who remember another machine.
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { Announcer } from '../../network/network-agent.js';
import type { Commands } from './commands.js';
import { ipBatch, linkOf, nodeDevice, removeDevice } from './links.js';

export interface AnnouncerOptions {
  readonly commands: Commands;
  /** At most 15 characters; holds the addresses. */
  readonly device: string;
  readonly log: Logger;
}

export const createAnnouncer = ({ commands, device, log }: AnnouncerOptions): Announcer => {
  /** Of the last `apply`; undefined: what the kernel holds is not known. */
  let applied: readonly string[] | undefined;
  let under = '';

  const present = async (signal: AbortSignal): Promise<readonly string[] | undefined> => {
    const link = await linkOf(commands, device, signal);
    return link?.addr_info?.flatMap(({ family, local = '' }) => (family === 'inet' ? [local] : []));
  };

  const tell = async (addresses: readonly string[], signal: AbortSignal): Promise<void> => {
    for (const address of addresses)
      try {
        await commands.ask('busybox', ['arping', '-q', '-U', '-c', '1', '-w', '1', '-I', under, address], {
          signal,
        });
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn(
          { address, error: messageOf(error) },
          'machines that remember another node for the address are not told',
        );
      }
  };

  return {
    apply: async (nodeAddress, addresses, signal) => {
      if (applied === undefined && addresses.length === 0) {
        await removeDevice(commands, device, signal);
        applied = [];
        return;
      }
      if (applied !== undefined && applied.join() === addresses.join()) return;
      under = (await nodeDevice(commands, nodeAddress, signal)).ifname;
      const before = await present(signal);
      applied = undefined;
      const fresh = addresses.filter((address) => before?.includes(address) !== true);
      await ipBatch(
        commands,
        [
          ...(before === undefined ? [`link add ${device} type bridge`, `link set ${device} up`] : []),
          ...(before ?? [])
            .filter((address) => !addresses.includes(address))
            .map((address) => `addr del ${address}/32 dev ${device}`),
          ...fresh.map((address) => `addr add ${address}/32 dev ${device}`),
        ],
        signal,
      );
      applied = addresses;
      await tell(fresh, signal);
    },
    check: async (signal) => {
      if (applied === undefined) return false;
      if (applied.length === 0) return true;
      const held = await present(signal);
      const holds = applied.every((address) => held?.includes(address) === true);
      if (!holds) applied = undefined;
      else await tell(applied, signal);
      return holds;
    },
  };
};
