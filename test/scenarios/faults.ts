// A cluster connection with faults: cut off, slow to show changes, or losing its watches, as a seed says.
import type { Clock } from '../../src/base/clock.js';
import { Channel } from '../../src/base/channel.js';
import { ClusterError } from '../../src/base/errors.js';
import type { Cluster, WatchEvent, WatchOptions } from '../../src/client/cluster.js';
import type { Kind } from '../../src/resources/kind.js';
import type { Resource } from '../../src/resources/resource.js';

export interface FaultOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Chance that a watch breaks before an event. */
  readonly breakWatch?: number;
  /** Longest delay of an event, in milliseconds. */
  readonly lagMs?: number;
  /** Chance that a write fails before it reaches the server. */
  readonly failWrite?: number;
  /** Chance that a write is done, but its answer is lost. */
  readonly loseAnswer?: number;
}

export interface FaultyCluster extends Cluster {
  /** While true nothing gets through. */
  cut: boolean;
}

const unreachable = (): ClusterError => new ClusterError('ServiceUnavailable', 'the network is cut');

export const withFaults = (cluster: Cluster, options: FaultOptions): FaultyCluster => {
  const { clock, random, breakWatch = 0, lagMs = 0, failWrite = 0, loseAnswer = 0 } = options;
  let cutting = new AbortController();
  const isCut = (): boolean => cutting.signal.aborted;

  const write = async <T>(perform: () => Promise<T>): Promise<T> => {
    if (isCut() || random() < failWrite) throw unreachable();
    const answer = await perform();
    if (random() < loseAnswer) throw unreachable();
    return answer;
  };
  const read = async <T>(perform: () => Promise<T>): Promise<T> => {
    if (isCut()) throw unreachable();
    return perform();
  };

  /** Reads on while events are on their way: each arrives late, none overtakes another. */
  const late = <T extends Resource>(
    events: AsyncIterable<WatchEvent<T>>,
  ): AsyncIterable<{ readonly event: WatchEvent<T>; readonly at: number }> => {
    const channel = new Channel<{ readonly event: WatchEvent<T>; readonly at: number }>(100_000);
    const pump = async (): Promise<void> => {
      for await (const event of events) channel.push({ event, at: clock.now() + random() * lagMs });
    };
    pump().then(
      () => channel.close(),
      (error: unknown) => channel.close(error ?? new Error('the watch broke')),
    );
    return channel;
  };

  async function* watch<T extends Resource>(
    kind: Kind<T>,
    watchOptions: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>, void> {
    if (isCut()) throw unreachable();
    // The watch on the server ends with this one, however that ends.
    const own = new AbortController();
    const either = AbortSignal.any([signal, cutting.signal, own.signal]);
    try {
      for await (const { event, at } of late(cluster.watch(kind, watchOptions, either))) {
        if (at > clock.now()) await clock.sleep(at - clock.now(), either);
        if (isCut() || random() < breakWatch) throw unreachable();
        yield event;
      }
    } finally {
      own.abort();
    }
    if (isCut()) throw unreachable();
  }

  const faulty: FaultyCluster = {
    get cut() {
      return isCut();
    },
    set cut(value: boolean) {
      if (value) cutting.abort(unreachable());
      else if (isCut()) cutting = new AbortController();
    },
    get: (kind, name, signal) => read(() => cluster.get(kind, name, signal)),
    list: (kind, list, signal) => read(() => cluster.list(kind, list, signal)),
    watch,
    create: (kind, object, write_) => write(() => cluster.create(kind, object, write_)),
    update: (kind, object, write_) => write(() => cluster.update(kind, object, write_)),
    updateStatus: (kind, object, write_) => write(() => cluster.updateStatus(kind, object, write_)),
    patch: (kind, name, patch, write_) => write(() => cluster.patch(kind, name, patch, write_)),
    apply: (kind, object, write_) => write(() => cluster.apply(kind, object, write_)),
    delete: (kind, name, deletion) => write(() => cluster.delete(kind, name, deletion)),
    bind: (pod, node) => write(() => cluster.bind(pod, node)),
    evict: (pod, deletion) => write(() => cluster.evict(pod, deletion)),
    createToken: (account, spec) => write(() => cluster.createToken(account, spec)),
  };
  return faulty;
};
