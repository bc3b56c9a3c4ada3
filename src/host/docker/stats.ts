// What a container consumes.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Stats } from '../../node/runtime.js';
import { cgroupUsage } from '../cgroup-usage.js';
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

interface EngineFacts {
  readonly SizeRw?: number;
  readonly LogPath?: string;
  readonly State?: { readonly Pid?: number };
}

const inspect = (engine: Engine, { id, disk }: Asked, signal: AbortSignal): Promise<EngineFacts> =>
  call(
    engine,
    signal,
    () =>
      engine.docker
        .getContainer(id)
        .inspect({ size: disk, abortSignal: signal } as object) as Promise<EngineFacts>,
  );

interface Asked {
  readonly id: string;
  /** Also what it has written: the layer above the image, and the log with its older parts. */
  readonly disk: boolean;
}

/** Takes about a second: the engine waits for its collector. */
const askEngine = async (engine: Engine, id: string, signal: AbortSignal): Promise<Stats> => {
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

/**
 * From the kernel's own files where they can be read: at once, and also where the engine cannot read them. Else as the
 * engine says.
 */
export const readStats = async (engine: Engine, asked: Asked, signal: AbortSignal): Promise<Stats> => {
  const { SizeRw = 0, LogPath = '', State } = await inspect(engine, asked, signal);
  const own = await cgroupUsage(State?.Pid ?? 0);
  const stats = own === undefined ? await askEngine(engine, asked.id, signal) : { ...own, at: Date.now() };
  return asked.disk ? { ...stats, diskBytes: SizeRw + (await logBytes(LogPath)) } : stats;
};
