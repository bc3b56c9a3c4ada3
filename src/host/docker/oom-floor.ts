// How far the kernel lets this machine's processes be protected from being killed when memory runs out.
import { readOptionalFile } from '../files.js';

/** Bit of CAP_SYS_RESOURCE, without which a process may not lower a score. */
const lowering = 24n;
const lowest = -1000;

/**
 * The lowest `oom_score_adj` that the engine may give. In an unprivileged machine (a container, say) that is the score
 * which everything there has; runc dies without a word when it is asked for less.
 */
export const oomFloor = async (): Promise<number> => {
  const status = (await readOptionalFile('/proc/self/status')) ?? '';
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (capabilities === undefined || (BigInt(`0x${capabilities}`) >> lowering) % 2n === 1n) return lowest;
  const own = Number((await readOptionalFile('/proc/self/oom_score_adj')) ?? '0');
  return Number.isInteger(own) ? own : 0;
};
