// What the processes of a control group have used, from the files of the kernel: both of its versions.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CgroupUsage {
  /** Total CPU time, in nanoseconds. */
  readonly cpuNanos: number;
  /** Memory without what the kernel can take back at once, in bytes. */
  readonly workingSetBytes: number;
}

const root = '/sys/fs/cgroup';

const read = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // Gone, or not of this version: whoever asks has another source.
    return undefined;
  }
};

/** `name value` lines. */
const valueIn = (text: string | undefined, name: string): number | undefined => {
  const line = text?.split('\n').find((entry) => entry.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
};

const asNumber = (text: string | undefined): number | undefined =>
  text === undefined || text.trim() === '' ? undefined : Number(text);

/** Of `/proc/PID/cgroup`: `4:memory:/docker/…` for version 1, `0::/…` for version 2. */
export const pathsOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\n').flatMap((line): readonly [string, string][] => {
      const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      return path === undefined ? [] : controllers.split(',').map((name) => [name, path]);
    }),
  );

const ofVersion1 = async (paths: ReadonlyMap<string, string>): Promise<Partial<CgroupUsage>> => {
  const cpu = join(root, 'cpuacct', paths.get('cpuacct') ?? '');
  const memory = join(root, 'memory', paths.get('memory') ?? '');
  const [nanos, bytes, details] = await Promise.all([
    read(join(cpu, 'cpuacct.usage')),
    read(join(memory, 'memory.usage_in_bytes')),
    read(join(memory, 'memory.stat')),
  ]);
  return usage(asNumber(nanos), asNumber(bytes), valueIn(details, 'total_inactive_file'));
};

const ofVersion2 = async (path: string): Promise<Partial<CgroupUsage>> => {
  const folder = join(root, path);
  const [cpu, bytes, details] = await Promise.all(
    ['cpu.stat', 'memory.current', 'memory.stat'].map((name) => read(join(folder, name))),
  );
  const micros = valueIn(cpu, 'usage_usec');
  return usage(
    micros === undefined ? undefined : micros * 1000,
    asNumber(bytes),
    valueIn(details, 'inactive_file'),
  );
};

const usage = (
  cpuNanos: number | undefined,
  bytes: number | undefined,
  inactive = 0,
): Partial<CgroupUsage> => ({
  ...(cpuNanos === undefined ? {} : { cpuNanos }),
  ...(bytes === undefined ? {} : { workingSetBytes: Math.max(0, bytes - inactive) }),
});

/** Of the control group in which the process is; undefined where the kernel does not say. */
export const cgroupUsage = async (pid: number): Promise<CgroupUsage | undefined> => {
  const text = pid === 0 ? undefined : await read(`/proc/${String(pid)}/cgroup`);
  if (text === undefined) return undefined;
  const paths = pathsOf(text);
  const unified = paths.get('');
  // A process in the root of everything is not in a group of its own.
  const found = paths.has('memory')
    ? await ofVersion1(paths)
    : unified === undefined || unified === '/'
      ? {}
      : await ofVersion2(unified);
  const { cpuNanos, workingSetBytes } = found;
  return cpuNanos === undefined || workingSetBytes === undefined ? undefined : { cpuNanos, workingSetBytes };
};
