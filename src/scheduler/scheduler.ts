// Gives every pending pod its node: a batch in one pass over the node table, bindings of a batch all at once.
import { toTimestamp } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Informers } from '../client/informers.js';
import type { ViewChange } from '../client/view.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { Executor } from '../reconcile/controller.js';
import { backoff } from '../reconcile/controller-runner.js';
import type { DecisionLog } from '../reconcile/decision-log.js';
import { Timers } from '../reconcile/timers.js';
import { conditionOf } from '../resources/conditions.js';
import type { Node, Pod } from '../resources/generated/types.js';
import { nodes } from '../resources/kinds/nodes.js';
import { pods } from '../resources/kinds/pods.js';
import { isPodTerminated } from '../resources/pod-status.js';
import { displayName, isDeleting, nameOf } from '../resources/resource.js';
import { Candidates } from './candidates.js';
import type { Candidate, Rules } from './candidates.js';
import { explainUnschedulable } from './explain.js';
import { filters } from './filters/filters.js';
import { NodeTable } from './node-table.js';
import type { PodClass } from './placement.js';
import { PodClasses } from './pod-class.js';
import { scores } from './scores/scores.js';
import { StuckPods } from './stuck-pods.js';
import type { Report } from './stuck-pods.js';

export interface SchedulerOptions {
  readonly informers: Informers;
  readonly executor: Executor<ClusterAction>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly decisions: DecisionLog;
  readonly rules?: Rules | undefined;
}

export interface Scheduler {
  /** Schedules until the signal aborts; resolves when no binding is in flight. */
  run(signal: AbortSignal): Promise<void>;
}

interface Placed {
  readonly pod: Pod;
  readonly candidate: Candidate;
  readonly among: number;
}

const name = 'scheduler';
const defaultScheduler = 'default-scheduler';
/** Pods that are placed in one pass: their bindings share a flush or two. */
const batchSize = 1024;
const rememberedClasses = 256;

const isOurs = ({ spec }: Pod): boolean =>
  (spec.schedulerName ?? defaultScheduler) === defaultScheduler && (spec.schedulingGates ?? []).length === 0;

const byPriority = (a: Pod, b: Pod): number => (b.spec.priority ?? 0) - (a.spec.priority ?? 0);

const mayHelp = (node: Node, previous: Node | undefined): boolean =>
  previous === undefined ||
  node.spec !== previous.spec ||
  node.metadata.labels !== previous.metadata.labels ||
  node.status?.allocatable !== previous.status?.allocatable;

class PodScheduler implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #rules: Rules;
  readonly #table = new NodeTable();
  readonly #classes = new PodClasses();
  readonly #candidates = new Map<string, Candidates>();
  readonly #active = new Map<string, Pod>();
  readonly #stuck = new StuckPods();
  /** Pods whose binding was sent and does not show in the view yet. */
  readonly #assumed = new Set<string>();
  /** Bindings that failed in a row. */
  readonly #failures = new Map<string, number>();
  /** Pods whose binding failed, until their time has come. */
  readonly #waiting = new Map<string, Pod>();
  readonly #timers: Timers<string>;
  #retryStuck = false;
  #wake: (() => void) | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#rules = options.rules ?? { filters, scores };
    this.#timers = new Timers(options.clock, (uid) => this.#release(uid));
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers } = this.#options;
    await informers.ready(signal);
    const subscriptions = [
      informers.subscribe(nodes, (change) => this.#nodeChanged(change)),
      informers.subscribe(pods, (change) => this.#podChanged(change)),
    ];
    const timers = this.#timers.run(signal);
    try {
      while (!signal.aborted) {
        if (this.#active.size === 0 && !this.#retryStuck) await this.#idle(signal);
        else await this.#pass(signal);
      }
    } finally {
      for (const end of subscriptions) end();
      await timers;
    }
  }

  #idle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #nodeChanged({ type, object, previous }: ViewChange<Node>): void {
    if (type === 'deleted') {
      this.#table.removeNode(object.metadata.name);
      return;
    }
    if (!mayHelp(object, previous)) return;
    this.#table.setNode(object);
    this.#unstick();
  }

  #podChanged({ type, object: pod }: ViewChange<Pod>): void {
    const { uid } = pod.metadata;
    const node = pod.spec.nodeName ?? '';
    if (type === 'deleted' || isPodTerminated(pod)) {
      this.#dismiss(uid);
      if (this.#table.unassign(uid)) this.#unstick();
    } else if (node !== '') {
      this.#dismiss(uid);
      this.#table.assign(uid, node, this.#classes.of(pod));
    } else if (isDeleting(pod) || !isOurs(pod)) this.#dismiss(uid);
    else if (!this.#assumed.has(uid) && !this.#failures.has(uid)) this.#enqueue(pod);
  }

  #enqueue(pod: Pod): void {
    const { uid } = pod.metadata;
    if (this.#stuck.update(this.#classes.of(pod), pod)) return;
    this.#stuck.remove(uid);
    this.#active.set(uid, pod);
    this.#wake?.();
  }

  /** The pod needs no node any more. */
  #dismiss(uid: string): void {
    this.#active.delete(uid);
    this.#assumed.delete(uid);
    this.#failures.delete(uid);
    this.#waiting.delete(uid);
    this.#timers.cancel(uid);
    this.#stuck.remove(uid);
  }

  #unstick(): void {
    if (this.#stuck.size === 0) return;
    this.#retryStuck = true;
    this.#wake?.();
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const reports = [...this.#retry()];
    const placed: Placed[] = [];
    for (const pod of this.#takeBatch()) {
      const outcome = this.#place(pod);
      if (outcome === undefined) continue;
      if ('candidate' in outcome) placed.push(outcome);
      else reports.push(outcome);
    }
    await Promise.all([
      ...placed.map((placement) => this.#bind(placement, signal)),
      ...reports.map((report) => this.#report(report, signal)),
    ]);
  }

  #takeBatch(): readonly Pod[] {
    const batch: Pod[] = [];
    const ordered = [...this.#active.values()].some(({ spec }) => (spec.priority ?? 0) !== 0)
      ? [...this.#active.values()].sort(byPriority)
      : this.#active.values();
    for (const pod of ordered) {
      if (batch.length === batchSize) break;
      batch.push(pod);
    }
    for (const { metadata } of batch) this.#active.delete(metadata.uid);
    return batch;
  }

  /** Undefined when the pod cannot even be looked at: it is tried again later, and holds nobody up. */
  #place(pod: Pod): Placed | Report | undefined {
    const { uid } = pod.metadata;
    try {
      const podClass = this.#classes.of(pod);
      const candidates = this.#candidatesFor(podClass);
      const candidate = candidates.best();
      if (candidate === undefined) return { pod, message: this.#stick(podClass, pod) };
      this.#table.assign(uid, candidate.node.name, podClass);
      this.#assumed.add(uid);
      return { pod, candidate, among: candidates.size };
    } catch (error) {
      this.#options.log.error(
        { pod: displayName(nameOf(pod)), error },
        `scheduling failed: ${messageOf(error)}`,
      );
      this.#record(pod, 'the scheduler could not decide', messageOf(error));
      this.#retryLater(pod);
      return undefined;
    }
  }

  #candidatesFor(podClass: PodClass): Candidates {
    const known = this.#candidates.get(podClass.id);
    const candidates = known ?? new Candidates(this.#table, this.#rules, podClass);
    this.#candidates.delete(podClass.id);
    this.#candidates.set(podClass.id, candidates);
    if (this.#candidates.size > rememberedClasses)
      for (const oldest of this.#candidates.keys()) {
        this.#candidates.delete(oldest);
        break;
      }
    return candidates;
  }

  #stick(podClass: PodClass, pod: Pod): string {
    return this.#stuck.add(podClass, pod, {
      now: this.#options.clock.now(),
      explain: () => explainUnschedulable(this.#rules, this.#table, podClass),
    });
  }

  #retry(): readonly Report[] {
    if (!this.#retryStuck) return [];
    this.#retryStuck = false;
    const { freed, reports } = this.#stuck.retry(this.#options.clock.now(), {
      fits: (podClass) => this.#candidatesFor(podClass).best() !== undefined,
      explain: (podClass) => explainUnschedulable(this.#rules, this.#table, podClass),
    });
    for (const pod of freed) this.#active.set(pod.metadata.uid, pod);
    return reports;
  }

  async #bind({ pod, candidate, among }: Placed, signal: AbortSignal): Promise<void> {
    const { executor, log } = this.#options;
    const { uid, namespace } = pod.metadata;
    const node = candidate.node.name;
    const because = `placed on ${node}, the best of ${String(among)} nodes that it fits`;
    try {
      await executor.execute({ type: 'bind', pod: { ...nameOf(pod), uid }, node }, signal);
      this.#failures.delete(uid);
      this.#record(pod, because);
      const message = `Successfully assigned ${namespace ?? ''}/${pod.metadata.name} to ${node}`;
      await executor.execute(
        { type: 'event', event: { regarding: pod, type: 'Normal', reason: 'Scheduled', message } },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      this.#unbound(pod);
      this.#record(pod, because, messageOf(error));
      const fields = { pod: displayName(nameOf(pod)), node, error: messageOf(error) };
      if (hasCode(error, 'Conflict', 'NotFound')) log.debug(fields, 'pod changed while it was bound');
      else log.warn(fields, 'binding failed');
    }
  }

  #unbound(pod: Pod): void {
    const { uid } = pod.metadata;
    // The view may have learnt meanwhile that the pod is gone, or whose it is: then nothing is to be undone.
    if (!this.#assumed.delete(uid)) return;
    if (this.#table.unassign(uid)) this.#unstick();
    this.#retryLater(pod);
  }

  #retryLater(pod: Pod): void {
    const { uid } = pod.metadata;
    const failures = (this.#failures.get(uid) ?? 0) + 1;
    this.#failures.set(uid, failures);
    this.#waiting.set(uid, pod);
    this.#timers.set(uid, this.#options.clock.now() + backoff(failures), uid);
  }

  #release(uid: string): void {
    const pod = this.#waiting.get(uid);
    this.#waiting.delete(uid);
    if (pod === undefined || !this.#failures.has(uid)) return;
    const current = this.#options.informers.view.get(pods, nameOf(pod));
    if (current?.metadata.uid !== uid || (current.spec.nodeName ?? '') !== '') this.#failures.delete(uid);
    else this.#enqueue(current);
  }

  async #report({ pod, message }: Report, signal: AbortSignal): Promise<void> {
    const { executor, log, clock } = this.#options;
    this.#record(pod, message);
    const present = conditionOf(pod.status?.conditions, 'PodScheduled');
    if (present?.status === 'False' && present.message === message) return;
    const { uid } = pod.metadata;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: present?.status === 'False' ? present.lastTransitionTime : toTimestamp(clock.now()),
    };
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    const change: ClusterAction = {
      type: 'patch',
      kind: pods,
      name: nameOf(pod),
      patch: { type: 'strategic', patch },
      subresource: 'status',
    };
    try {
      await executor.execute(change, signal);
      const event = { regarding: pod, type: 'Warning', reason: 'FailedScheduling', message } as const;
      await executor.execute({ type: 'event', event }, signal);
    } catch (error) {
      if (signal.aborted || hasCode(error, 'NotFound', 'Conflict')) return;
      log.warn(
        { pod: displayName(nameOf(pod)), error: messageOf(error) },
        'could not tell why it is not placed',
      );
    }
  }

  #record(pod: Pod, because: string, error?: string): void {
    this.#options.decisions.record(pods, {
      controller: name,
      key: nameOf(pod),
      at: this.#options.clock.now(),
      because,
      actions: 1,
      ...(error === undefined ? {} : { error }),
    });
  }
}

export const createScheduler = (options: SchedulerOptions): Scheduler => new PodScheduler(options);
