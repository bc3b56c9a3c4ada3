// Looks after one pod: takes the next step, keeps what is under way, and writes what has become of it.
import { messageOf, hasCode } from '../base/errors.js';
import type { Instant } from '../base/clock.js';
import type { Timers } from '../reconcile/timers.js';
import type { Container as ContainerTemplate, Pod } from '../resources/generated/types.js';
import { pods } from '../resources/kinds/pods.js';
import { nameOf } from '../resources/resource.js';
import { toTimestamp } from '../base/clock.js';
import { addressOf, kindOf } from './labels.js';
import { resolveEnvironment } from './node-context.js';
import type { NodeContext } from './node-context.js';
import { execute } from './operations/operations.js';
import { orphanStep } from './orphan-step.js';
import type { Announcement, PodAction } from './pod-actions.js';
import { emptyMemory } from './pod-memory.js';
import type { PodMemory } from './pod-memory.js';
import type { PodObserved } from './pod-picture.js';
import { claimNamesOf } from '../resources/storage/binding.js';
import { podReferences } from './pod-references.js';
import type { PodScope } from './pod-scope.js';
import { podStatus } from './pod-status.js';
import { nextStep } from './pod-steps/next-step.js';
import { StatusWriter } from './status-writer.js';

export interface WorkerOptions {
  readonly node: NodeContext;
  readonly uid: string;
  readonly timers: Timers<string>;
  /** False while the engine is away or nothing is known yet: then nothing is decided. */
  readonly isReady: () => boolean;
  /** Nothing is left to look after. */
  readonly done: () => void;
}

/** An operation that failed is not repeated at once. */
const pauseMs = 1000;

export class PodWorker {
  readonly #options: WorkerOptions;
  readonly #writer: StatusWriter;
  readonly #inFlight = new Map<string, AbortController>();
  readonly #paused = new Map<string, Instant>();
  #announced = new Set<string>();
  #memory: PodMemory;
  /** As the cluster has it; undefined when it is gone, or never was. */
  #pod: Pod | undefined;
  #last: Pod | undefined;
  #scheduled = false;
  /** Something that the status may show has changed since it was last decided. */
  #stale = true;
  #statusChangesAt: Instant | undefined;
  #closed = false;
  #filesRemoved = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#memory = emptyMemory(options.node.clock.now());
    this.#writer = new StatusWriter(options.node, {
      stored: (pod) => this.#accept(pod),
      failed: () => this.#wakeAt(options.node.clock.now() + pauseMs),
    });
  }

  get pod(): Pod | undefined {
    return this.#pod ?? this.#last;
  }

  setPod(pod: Pod | undefined): void {
    if (pod !== undefined) this.#accept(pod);
    else {
      if (this.#pod === undefined) return;
      // What the pod looked like last says how it wants to be stopped.
      this.#last = this.#pod;
      this.#pod = undefined;
      this.#options.node.source.want(this.#options.uid, []);
    }
    this.look();
  }

  /** The node ends it for good. */
  evict(eviction: NonNullable<PodMemory['eviction']>): void {
    if (this.#pod === undefined || this.#memory.eviction !== undefined) return;
    this.#memory = { ...this.#memory, eviction };
    const { reason, message } = eviction;
    this.#options.node.events.record({ regarding: this.#pod, type: 'Warning', reason, message });
    this.look();
  }

  /** Soon, once, however often it is asked for. */
  look(): void {
    // Which volume a claim stands for shows only with the claim.
    if (this.#pod !== undefined && claimNamesOf(this.#pod).length > 0) this.#want(this.#pod);
    this.#stale = true;
    this.#schedule();
  }

  /** The time that it asked for has come. */
  wake(): void {
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed && this.#options.isReady()) this.#pass();
    });
  }

  /** Gives up what is under way; containers stay as they are. */
  close(): void {
    this.#closed = true;
    this.#options.timers.cancel(this.#options.uid);
    this.#options.node.source.want(this.#options.uid, []);
    for (const abort of this.#inFlight.values()) abort.abort();
  }

  #accept(pod: Pod): void {
    if (this.#pod !== undefined) {
      if (Number(pod.metadata.resourceVersion) <= Number(this.#pod.metadata.resourceVersion)) return;
    } else if (this.#last !== undefined) return;
    const first = this.#pod === undefined;
    const specChanged = this.#pod?.spec !== pod.spec;
    this.#pod = pod;
    if (first || specChanged) this.#want(pod);
    this.look();
  }

  #want(pod: Pod): void {
    const { source } = this.#options.node;
    source.want(this.#options.uid, podReferences(pod, source));
  }

  #observed(pod: Pod): PodObserved {
    const { node, uid } = this.#options;
    const containers = node.table.ofPod(uid);
    const sandbox = containers.find(
      (container) => kindOf(container) === 'sandbox' && container.state === 'running',
    );
    const podIP = pod.spec.hostNetwork === true ? node.hostIP : sandbox && addressOf(sandbox);
    return {
      pod,
      containers,
      memory: this.#memory,
      inFlight: new Set(this.#inFlight.keys()),
      references: node.source,
      environment: (container: ContainerTemplate) => resolveEnvironment(node, pod, { container, podIP }),
      node: {
        hostIP: node.hostIP,
        networkReady: node.pool.subnet !== undefined,
        waitsForProxies: node.waitsForProxies?.() === true,
      },
    };
  }

  #pass(): void {
    if (this.#pod !== undefined) this.#passLiving(this.#pod);
    else if (this.#last !== undefined) this.#passGone(this.#last);
    else this.#passOrphan();
  }

  #passLiving(pod: Pod): void {
    const { node } = this.#options;
    const now = node.clock.now();
    const step = nextStep(this.#observed(pod), now);
    this.#announce(pod, step.announcements);
    this.#launch(step.actions, now);
    if (step.actions.length > 0)
      node.decisions?.record(pods, {
        controller: 'node-agent',
        key: nameOf(pod),
        at: now,
        because: step.because,
        actions: step.actions.length,
      });
    this.#show(pod, now);
    this.#wakeAt(step.wakeAt, this.#statusChangesAt, ...this.#paused.values());
  }

  #show(pod: Pod, now: Instant): void {
    if (!this.#stale && (this.#statusChangesAt === undefined || now < this.#statusChangesAt)) return;
    this.#stale = false;
    this.#statusChangesAt = undefined;
    // What follows is only that the object goes: nobody needs to read a last status.
    if (this.#memory.finished === true || this.#inFlight.has('finish')) return;
    const { status, changesAt } = podStatus(this.#observed(pod), now, { engine: this.#options.node.engine });
    this.#statusChangesAt = changesAt;
    this.#writer.want(pod, status);
  }

  /** Its object is gone, and what it wanted is still known: it ends as if it were being deleted. */
  #passGone(last: Pod): void {
    const { clock } = this.#options.node;
    const now = clock.now();
    const { metadata, spec } = last;
    const grace = metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
    const deletionTimestamp = metadata.deletionTimestamp ?? toTimestamp(now + grace * 1000);
    const pod: Pod = {
      ...last,
      metadata: { ...metadata, deletionTimestamp, deletionGracePeriodSeconds: grace },
    };
    this.#last = pod;
    this.#memory = { ...this.#memory, finished: true };
    const step = nextStep(this.#observed(pod), now);
    this.#launch(step.actions, now);
    this.#wakeAt(step.wakeAt, ...this.#paused.values());
    if (step.actions.length === 0) this.#leave();
  }

  #passOrphan(): void {
    const { node, uid } = this.#options;
    const actions = orphanStep(node.table.ofPod(uid), new Set(this.#inFlight.keys()));
    this.#launch(actions, node.clock.now());
    this.#wakeAt(...this.#paused.values());
    if (actions.length === 0) this.#leave();
  }

  /** Nothing of the pod is left in the engine: its files go, then its worker. */
  #leave(): void {
    const { node, uid, done } = this.#options;
    if (this.#inFlight.size > 0 || node.table.ofPod(uid).length > 0) return;
    if (this.#filesRemoved) {
      this.close();
      done();
      return;
    }
    this.#run('files', async () => {
      await node.files.removePod(uid);
      this.#filesRemoved = true;
    });
  }

  #launch(actions: readonly PodAction[], now: Instant): void {
    for (const [operation, until] of this.#paused) if (until <= now) this.#paused.delete(operation);
    for (const action of actions) {
      if (action.type === 'cancel') {
        this.#inFlight.get(action.cancels)?.abort();
        continue;
      }
      if (this.#inFlight.has(action.operation) || this.#paused.has(action.operation)) continue;
      this.#run(action.operation, (signal) => execute(this.#scope(), action, signal));
    }
  }

  #run(operation: string, work: (signal: AbortSignal) => Promise<void>): void {
    const abort = new AbortController();
    this.#inFlight.set(operation, abort);
    // That a probe runs shows nowhere; what it found may (scope.update).
    const quiet = operation.startsWith('probe/');
    if (!quiet) this.#stale = true;
    const { node, uid } = this.#options;
    void work(abort.signal)
      .catch((error: unknown) => {
        // Given up, by whoever ended the worker or the operation.
        if (abort.signal.aborted) return;
        this.#paused.set(operation, node.clock.now() + pauseMs);
        const level = hasCode(error, 'ServiceUnavailable', 'NotFound') ? 'debug' : 'warn';
        node.log[level](
          { pod: this.pod?.metadata.name, uid, operation, error: messageOf(error) },
          'an operation failed',
        );
      })
      .finally(() => {
        this.#inFlight.delete(operation);
        if (quiet) this.#schedule();
        else this.look();
      });
  }

  #scope(): PodScope {
    const { node, uid } = this.#options;
    return {
      node,
      pod: () => {
        const pod = this.#pod ?? this.#last;
        if (pod === undefined) throw new Error(`pod ${uid} is not known any more`);
        return pod;
      },
      memory: () => this.#memory,
      update: (change, quiet = false) => {
        this.#memory = change(this.#memory);
        if (quiet) this.#schedule();
        else this.look();
      },
      tell: (type, reason, message) => {
        const regarding = this.#pod ?? this.#last;
        if (regarding !== undefined) node.events.record({ regarding, type, reason, message });
      },
    };
  }

  #announce(pod: Pod, announcements: readonly Announcement[]): void {
    const holding = new Set<string>();
    for (const { id, type, reason, message } of announcements) {
      holding.add(id);
      if (!this.#announced.has(id))
        this.#options.node.events.record({ regarding: pod, type, reason, message });
    }
    this.#announced = holding;
  }

  #wakeAt(...times: readonly (Instant | undefined)[]): void {
    const { timers, uid } = this.#options;
    const wanted = times.filter((time) => time !== undefined);
    if (wanted.length === 0) timers.cancel(uid);
    else timers.set(uid, Math.min(...wanted), uid);
  }
}
