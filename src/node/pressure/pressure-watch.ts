// Measures the node, says what it is short of, and makes room: images first, then pods, one at a time.
import { isAbort } from '../../base/abort.js';
import type { Clock, Instant } from '../../base/clock.js';
import { hasCode, messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { Pod } from '../../resources/generated/types.js';
import { isPodTerminated } from '../../resources/pod-status.js';
import { isDeleting } from '../../resources/resource.js';
import type { ContainerTable } from '../container-table.js';
import type { NodeFiles } from '../node-files.js';
import type { Runtime } from '../runtime.js';
import { bytesToFree, imagesToRemove } from './image-collection.js';
import type { ImageStore } from './image-collection.js';
import { beyondOwnLimit, evictionFor, hasDiskLimit, rankForEviction } from './ranking.js';
import type { Eviction, PodUsage } from './ranking.js';
import { noted, pressuresOf, shortagesOf } from './signals.js';
import type { LastShort, NodeMeasure, Pressure, Shortage } from './signals.js';

export interface NodeSensor {
  measure(signal: AbortSignal): Promise<NodeMeasure>;
}

export interface PressureOptions {
  readonly sensor: NodeSensor;
  readonly images: ImageStore | undefined;
  readonly runtime: Runtime;
  readonly files: NodeFiles;
  readonly table: ContainerTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** False while nothing can be asked. */
  isReady(): boolean;
  pods(): readonly Pod[];
  evict(podUid: string, eviction: Eviction): void;
  /** What the node is short of is not what it was. */
  changed(): void;
}

const calmMs = 10_000;
const pressedMs = 2000;

export class PressureWatch {
  readonly #options: PressureOptions;
  readonly #lastUsed = new Map<string, Instant>();
  /** Evicted, and perhaps still ending: nobody else has to go until it has. */
  #leaving: string | undefined;
  #last: LastShort = {};
  #told = '';
  #failing = false;

  constructor(options: PressureOptions) {
    this.#options = options;
  }

  pressures(): ReadonlySet<Pressure> {
    return pressuresOf(this.#last, this.#options.clock.now());
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const pressed = await this.#look(signal);
        await this.#options.clock.sleep(pressed ? pressedMs : calmMs, signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }

  /** True while the node is short of something. */
  async #look(signal: AbortSignal): Promise<boolean> {
    if (!this.#options.isReady()) return false;
    try {
      const pressed = await this.#relieve(signal);
      this.#failing = false;
      return pressed;
    } catch (error) {
      if (signal.aborted) throw error;
      if (!this.#failing)
        this.#options.log.warn({ error: messageOf(error) }, 'the pressure on the node is not known');
      this.#failing = true;
      return false;
    }
  }

  async #relieve(signal: AbortSignal): Promise<boolean> {
    const { sensor, clock } = this.#options;
    let measure = await sensor.measure(signal);
    await this.#enforceLimits(signal);
    const full = shortagesOf(measure).some(({ pressure }) => pressure === 'DiskPressure');
    if (await this.#collectImages(full ? Infinity : bytesToFree(measure.disk), signal))
      measure = await sensor.measure(signal);
    const shortages = shortagesOf(measure);
    this.#last = noted(this.#last, shortages, clock.now());
    this.#tell();
    const [worst] = shortages;
    if (worst !== undefined) await this.#evictOne(worst, signal);
    return worst !== undefined;
  }

  #tell(): void {
    const now = [...this.pressures()].sort().join();
    if (now === this.#told) return;
    this.#told = now;
    this.#options.log.info(
      { pressures: now },
      now === '' ? 'the node has room again' : 'the node is short of room',
    );
    this.#options.changed();
  }

  #living(): readonly Pod[] {
    return this.#options.pods().filter((pod) => !isPodTerminated(pod) && !isDeleting(pod));
  }

  async #evictOne(shortage: Shortage, signal: AbortSignal): Promise<void> {
    const { table } = this.#options;
    if (this.#leaving !== undefined && table.ofPod(this.#leaving).some(({ state }) => state === 'running'))
      return;
    this.#leaving = undefined;
    const usages = await Promise.all(this.#living().map((pod) => this.#usageOf(pod, signal)));
    const [first] = rankForEviction(usages, shortage);
    if (first === undefined) return;
    this.#evict(first.pod, evictionFor(first, shortage));
    this.#leaving = first.pod.metadata.uid;
  }

  #evict({ metadata }: Pod, eviction: Eviction): void {
    const { name: pod, namespace, uid } = metadata;
    this.#options.log.warn({ pod, namespace, why: eviction.message }, 'a pod is evicted');
    this.#options.evict(uid, eviction);
  }

  async #enforceLimits(signal: AbortSignal): Promise<void> {
    for (const pod of this.#living().filter(hasDiskLimit)) {
      const eviction = beyondOwnLimit(await this.#usageOf(pod, signal));
      if (eviction !== undefined) this.#evict(pod, eviction);
    }
  }

  async #usageOf(pod: Pod, signal: AbortSignal): Promise<PodUsage> {
    const { table, runtime, files } = this.#options;
    const { uid } = pod.metadata;
    const running = table.ofPod(uid).filter(({ state }) => state === 'running');
    const stats = await Promise.all(
      running.map(async ({ id }) => {
        try {
          return await runtime.stats(id, { disk: true }, signal);
        } catch (error) {
          if (hasCode(error, 'NotFound')) return undefined; // it has ended meanwhile
          throw error;
        }
      }),
    );
    const volumeBytes = await files.volumeBytes(uid);
    const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
    return {
      pod,
      memoryBytes: sum(stats.map((each) => each?.workingSetBytes ?? 0)),
      diskBytes: sum(stats.map((each) => each?.diskBytes ?? 0)) + sum(volumeBytes.values()),
      volumeBytes,
    };
  }

  /** Whether anything was removed. */
  async #collectImages(bytes: number, signal: AbortSignal): Promise<boolean> {
    const { images: store, table, clock, log } = this.#options;
    if (store === undefined) return false;
    const now = clock.now();
    const inUse = new Set([...table.all()].map(({ imageId }) => imageId));
    for (const id of inUse) this.#lastUsed.set(id, now);
    if (bytes <= 0) return false;
    const images = await store.list(signal);
    for (const { id } of images) if (!this.#lastUsed.has(id)) this.#lastUsed.set(id, now);
    let removed = false;
    for (const { id, sizeBytes } of imagesToRemove({ images, inUse, lastUsed: this.#lastUsed, now }, bytes)) {
      if (!(await store.remove(id, signal))) continue;
      log.info({ image: id, sizeBytes }, 'removed an unused image: the disk fills up');
      this.#lastUsed.delete(id);
      removed = true;
    }
    return removed;
  }
}
