// What a container consumes.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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

/** 0 where the engine's files are not this machine's. */
const logBytes = async (path: string): Promise<number> => {
  if (path === '') return 0;
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names
      .filter((name) => name.startsWith(basename(path)))
      .map((name) =>
        stat(join(folder, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** The layer above the image, and the log with its older parts. */
const written = async (engine: Engine, id: string, signal: AbortSignal): Promise<number> => {
  const facts = (await call(
    engine,
    signal,
    () =>
      engine.docker
        .getContainer(id)
        .inspect({ size: true, abortSignal: signal } as object) as Promise<unknown>,
  )) as { readonly SizeRw?: number; readonly LogPath?: string };
  return (facts.SizeRw ?? 0) + (await logBytes(facts.LogPath ?? ''));
};

/** Takes about a second: the engine waits for its collector. */
export const readStats = async (
  engine: Engine,
  { id, disk }: { readonly id: string; readonly disk: boolean },
  signal: AbortSignal,
): Promise<Stats> => {
  const diskBytes = disk ? await written(engine, id, signal) : undefined;
  const stats = (await call(engine, signal, () =>
    engine.docker
      .getContainer(id)
      .stats({ stream: false, 'one-shot': true, abortSignal: signal } as { stream: false }),
  )) as unknown as EngineStats;
  return {
    cpuNanos: stats.cpu_stats.cpu_usage.total_usage,
    workingSetBytes: workingSet(stats.memory_stats),
    ...(diskBytes === undefined ? {} : { diskBytes }),
    at: Date.parse(stats.read),
  };
};
