// What the containers of a node consume. Nothing is measured until someone asks: a figure of CPU needs two readings, so
// the first answer takes a moment and the following ones compare with the reading before.
import type { Clock, Instant } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';
import { hasCode } from '../base/errors.js';
import type { ContainerUsage, PodUsage, Usage, UsageSummary } from '../resources/usage-summary.js';
import type { ContainerTable } from './container-table.js';
import { containerNameOf, kindOf, label } from './labels.js';
import type { Container, Runtime, Stats } from './runtime.js';

export interface UsageMeterOptions {
  readonly nodeName: string;
  readonly runtime: Pick<Runtime, 'stats'>;
  readonly table: ContainerTable;
  readonly clock: Clock;
  /** Of the machine as a whole; without it the node consumes what its containers do. */
  readonly machineUsage?: (() => Promise<Stats>) | undefined;
}

/** A reading as young as this is answered again, in milliseconds. */
const fresh = 5_000;
/** One as old as this says too little about now: two new ones are made. */
const stale = 90_000;
/** Between two readings, when there is none to compare with. */
const apart = 1_000;
/** Engines take a second for each: as many are asked at once. */
const width = 16;

interface Reading {
  readonly latest: Stats;
  readonly earlier?: Stats | undefined;
}

interface Readings {
  readonly at: Instant;
  readonly byId: ReadonlyMap<string, Reading>;
  readonly machine: Reading | undefined;
}

const nothing: Readings = { at: -Infinity, byId: new Map(), machine: undefined };

/** The new reading beside the one before; one that is no newer says nothing. */
const following = (before: Reading | undefined, latest: Stats): Reading => {
  if (before === undefined) return { latest };
  return latest.at > before.latest.at ? { latest, earlier: before.latest } : before;
};

const cpuOf = ({ latest, earlier }: Reading): Usage => ({
  time: toTimestamp(latest.at),
  ...(earlier === undefined
    ? {}
    : {
        usageNanoCores: Math.max(
          0,
          Math.round(((latest.cpuNanos - earlier.cpuNanos) / (latest.at - earlier.at)) * 1000),
        ),
        windowMs: latest.at - earlier.at,
      }),
  usageCoreNanoSeconds: latest.cpuNanos,
});

const memoryOf = ({ latest }: Reading) => ({
  time: toTimestamp(latest.at),
  workingSetBytes: latest.workingSetBytes,
});

const sum = (
  readings: Iterable<Reading>,
  now: Instant,
): { cpu: Usage; memory: ReturnType<typeof memoryOf> } => {
  let [nanoCores, nanoSeconds, bytes, windowMs] = [0, 0, 0, 0];
  for (const reading of readings) {
    const cpu = cpuOf(reading);
    nanoCores += cpu.usageNanoCores ?? 0;
    windowMs = Math.max(windowMs, cpu.windowMs ?? 0);
    nanoSeconds += reading.latest.cpuNanos;
    bytes += reading.latest.workingSetBytes;
  }
  const time = toTimestamp(now);
  return {
    cpu: { time, usageNanoCores: nanoCores, usageCoreNanoSeconds: nanoSeconds, windowMs },
    memory: { time, workingSetBytes: bytes },
  };
};

export class UsageMeter {
  readonly #options: UsageMeterOptions;
  #readings = nothing;
  #reading: Promise<void> | undefined;

  constructor(options: UsageMeterOptions) {
    this.#options = options;
  }

  /** Everyone who asks at the same time shares one measurement; the signal ends the wait only. */
  async summary(signal: AbortSignal): Promise<UsageSummary> {
    signal.throwIfAborted();
    this.#reading ??= this.#refresh().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
    signal.throwIfAborted();
    return this.#shown();
  }

  async #refresh(): Promise<void> {
    const { clock } = this.#options;
    const age = clock.now() - this.#readings.at;
    if (age < fresh) return;
    if (age > stale) {
      this.#readings = nothing;
      await this.#read();
      await clock.sleep(apart, new AbortController().signal);
    }
    await this.#read();
  }

  async #read(): Promise<void> {
    const { clock, machineUsage } = this.#options;
    const before = this.#readings;
    const waiting = this.#running();
    const byId = new Map<string, Reading>();
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const stats = await this.#statsOf(next);
        if (stats !== undefined) byId.set(next.id, following(before.byId.get(next.id), stats));
      }
    };
    const machine = machineUsage?.();
    await Promise.all(Array.from({ length: Math.min(width, waiting.length) }, work));
    const whole = await machine;
    this.#readings = {
      at: clock.now(),
      byId,
      machine: whole === undefined ? undefined : following(before.machine, whole),
    };
  }

  #running(): Container[] {
    const { table } = this.#options;
    return [...table.pods()]
      .flatMap((uid) => table.ofPod(uid))
      .filter((container) => container.state === 'running' && kindOf(container) === 'container');
  }

  /** One that ended meanwhile consumes nothing any more. */
  async #statsOf({ id }: Container): Promise<Stats | undefined> {
    try {
      return await this.#options.runtime.stats(id, { disk: false }, new AbortController().signal);
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  #shown(): UsageSummary {
    const { nodeName, table, clock } = this.#options;
    const { byId, machine } = this.#readings;
    const pods = [...table.pods()].flatMap((uid): readonly PodUsage[] => {
      const containers = table.ofPod(uid).flatMap((container): readonly ContainerUsage[] => {
        const reading = byId.get(container.id);
        if (reading === undefined) return [];
        return [
          {
            name: containerNameOf(container),
            ...(container.startedAt === undefined ? {} : { startTime: toTimestamp(container.startedAt) }),
            cpu: cpuOf(reading),
            memory: memoryOf(reading),
          },
        ];
      });
      const [first] = table.ofPod(uid);
      if (containers.length === 0 || first === undefined) return [];
      const name = first.labels[label.podName] ?? '';
      const namespace = first.labels[label.podNamespace] ?? '';
      return [{ podRef: { name, namespace, uid }, containers }];
    });
    const node =
      machine === undefined
        ? sum(byId.values(), clock.now())
        : { cpu: cpuOf(machine), memory: memoryOf(machine) };
    return { node: { nodeName, ...node }, pods };
  }
}
