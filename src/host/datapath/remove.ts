// Takes an installation's table, overlay devices and routes out of the kernel, whether or not a process runs that knows
// of them: for `capstan down` and `capstan reset`.
import { hasCode } from '../../base/errors.js';
import type { Commands } from './commands.js';
import { deleteRouteLine, ipBatch, ownRoutes, removeDevice } from './links.js';
import { podsSet } from './ruleset.js';

/** A machine without the program has nothing that it could have made. */
const ifInstalled = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!hasCode(error, 'NotFound')) throw error;
  }
};

const removeTable = async (commands: Commands, table: string, signal: AbortSignal): Promise<void> => {
  const { code, stdout } = await commands.ask('nft', ['list', 'set', 'ip', table, podsSet], { signal });
  if (code !== 0) return; // no such table, or no right to see one: nothing of ours
  const podCidr = /elements = \{ (\S+) \}/.exec(stdout)?.[1];
  if (podCidr !== undefined) {
    const routes = await ownRoutes(commands, podCidr, signal);
    await ipBatch(commands, routes.map(deleteRouteLine), signal);
  }
  await commands.run('nft', ['delete', 'table', 'ip', table], { signal });
};

export interface KernelNames {
  /** nftables tables of services and of network policies. */
  readonly table: string;
  readonly policies: string;
  readonly devices: readonly string[];
}

export const removeFromKernel = async (
  commands: Commands,
  { table, policies, devices }: KernelNames,
  signal: AbortSignal,
): Promise<void> => {
  await ifInstalled(() => removeTable(commands, table, signal));
  await ifInstalled(async () => {
    const input = `add table ip ${policies}\ndelete table ip ${policies}\n`;
    await commands.ask('nft', ['-f', '-'], { input, signal });
  });
  for (const device of devices) await ifInstalled(() => removeDevice(commands, device, signal));
};
