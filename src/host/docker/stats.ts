// What a container consumes.
import type { Stats } from '../../node/runtime.js';
import { call } from './engine.js';
import type { Engine } from './engine.js';

interface EngineStats {
  readonly read: string;
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly memory_stats: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
}

/** Without what the kernel can take back at once: the same figure as Kubernetes' working set. */
const workingSet = ({ usage = 0, stats = {} }: EngineStats['memory_stats']): number =>
  Math.max(0, usage - (stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0));

/** Takes about a second: the engine waits for its collector. */
export const readStats = async (engine: Engine, id: string, signal: AbortSignal): Promise<Stats> => {
  const stats = (await call(engine, signal, () =>
    engine.docker
      .getContainer(id)
      .stats({ stream: false, 'one-shot': true, abortSignal: signal } as { stream: false }),
  )) as unknown as EngineStats;
  return {
    cpuNanos: stats.cpu_stats.cpu_usage.total_usage,
    workingSetBytes: workingSet(stats.memory_stats),
    at: Date.parse(stats.read),
  };
};
