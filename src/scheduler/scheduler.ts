// Gives every pending pod its node: a batch in one pass over the node table, bindings of a batch all at once.
import { Bell } from '../base/bell.js';
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
import type { Namespace, Node, PersistentVolumeClaim, Pod } from '../resources/generated/types.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import { nodes } from '../resources/kinds/nodes.js';
import { persistentvolumeclaims } from '../resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../resources/kinds/persistentvolumes.js';
import { storageclasses } from '../resources/kinds/storageclasses.js';
import { poddisruptionbudgets } from '../resources/kinds/poddisruptionbudgets.js';
import { pods } from '../resources/kinds/pods.js';
import { isPodTerminated } from '../resources/pod-status.js';
import { displayName, isDeleting, nameOf } from '../resources/resource.js';
import type { ObjectName, Resource } from '../resources/resource.js';
import type { Kind } from '../resources/kind.js';
import { preemptionActions, selectNodeAction, unschedulableActions } from './announce.js';
import type { Candidate, Rules } from './candidates.js';
import { couplings } from './couplings/couplings.js';
import { filters } from './filters/filters.js';
import type { PodClass } from './placement.js';
import { Placer } from './placer.js';
import { scores } from './scores/scores.js';
import { Teller } from './teller.js';
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

/** A pod for which a node is being made free, and the pods that have to leave it. */
interface Nominated extends Report {
  readonly node: string;
  readonly victims: readonly Pod[];
}

/** A pod whose claims get their volumes now that its node is known. */
interface Claiming {
  readonly pod: Pod;
  readonly node: string;
  readonly claims: readonly PersistentVolumeClaim[];
}

const defaultScheduler = 'default-scheduler';
/** Pods that are placed in one pass: their bindings share a flush or two. */
const batchSize = 1024;

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
  readonly #placer: Placer;
  readonly #teller: Teller;
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
  readonly #bell = new Bell();

  constructor(options: SchedulerOptions) {
    this.#options = options;
    const { informers } = options;
    this.#teller = new Teller(options);
    this.#placer = new Placer({
      rules: options.rules ?? { filters, scores, couplings },
      namespaceLabels: (namespace) => this.#seen(namespaces, { name: namespace })?.metadata.labels,
      budgets: (namespace) =>
        informers.watches(poddisruptionbudgets) ? informers.view.list(poddisruptionbudgets, namespace) : [],
      volumes: {
        claim: (name) => this.#seen(persistentvolumeclaims, name),
        volume: (name) => this.#seen(persistentvolumes, { name }),
        volumes: () => (informers.watches(persistentvolumes) ? informers.view.list(persistentvolumes) : []),
        storageClass: (name) => this.#seen(storageclasses, { name }),
      },
      reclassified: () => {
        for (const pod of this.#stuck.clear()) this.#active.set(pod.metadata.uid, pod);
      },
    });
    this.#timers = new Timers(options.clock, (uid) => this.#release(uid));
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers } = this.#options;
    await informers.ready(signal);
    const subscriptions = [
      ...(informers.watches(namespaces)
        ? [informers.subscribe(namespaces, (change) => this.#namespaceChanged(change))]
        : []),
      ...[persistentvolumeclaims, persistentvolumes, storageclasses]
        .filter((kind) => informers.watches(kind))
        .map((kind) => informers.subscribe(kind as Kind, () => this.#volumesChanged())),
      informers.subscribe(nodes, (change) => this.#nodeChanged(change)),
      informers.subscribe(pods, (change) => this.#podChanged(change)),
    ];
    const timers = this.#timers.run(signal);
    try {
      while (!signal.aborted) {
        if (this.#active.size === 0 && !this.#retryStuck) await this.#bell.wait(signal);
        else await this.#pass(signal);
      }
    } finally {
      for (const end of subscriptions) end();
      await timers;
    }
  }

  /** Undefined for a kind that is not watched. */
  #seen<T extends Resource>(kind: Kind<T>, name: ObjectName): T | undefined {
    const { informers } = this.#options;
    return informers.watches(kind) ? informers.view.get(kind, name) : undefined;
  }

  #namespaceChanged({ object, previous }: ViewChange<Namespace>): void {
    if (JSON.stringify(object.metadata.labels) === JSON.stringify(previous?.metadata.labels)) return;
    this.#placer.forgetNamespaces();
    this.#unstick();
  }

  #volumesChanged(): void {
    this.#placer.forgetVolumes();
    this.#unstick();
  }

  #nodeChanged({ type, object, previous }: ViewChange<Node>): void {
    if (type === 'deleted') {
      this.#placer.table.removeNode(object.metadata.name);
      return;
    }
    const helps = mayHelp(object, previous);
    if (!helps && object.status?.images === previous?.status?.images) return;
    this.#placer.table.setNode(object);
    if (helps) this.#unstick();
  }

  #podChanged({ type, object: pod }: ViewChange<Pod>): void {
    const { uid } = pod.metadata;
    const node = pod.spec.nodeName ?? '';
    if (type === 'deleted' || isPodTerminated(pod)) {
      this.#dismiss(uid);
      if (this.#placer.table.unassign(uid) !== undefined) this.#unstick();
    } else if (node !== '') {
      this.#dismiss(uid);
      this.#placer.assign(pod, node);
    } else if (isDeleting(pod) || !isOurs(pod)) this.#dismiss(uid);
    else if (!this.#assumed.has(uid) && !this.#failures.has(uid)) this.#enqueue(pod);
  }

  #enqueue(pod: Pod): void {
    const { uid } = pod.metadata;
    if (this.#stuck.update(this.#placer.classOf(pod), pod)) return;
    this.#stuck.remove(uid);
    this.#active.set(uid, pod);
    this.#bell.ring();
  }

  /** The pod needs no node any more. */
  #dismiss(uid: string): void {
    this.#active.delete(uid);
    this.#assumed.delete(uid);
    this.#failures.delete(uid);
    this.#waiting.delete(uid);
    this.#timers.cancel(uid);
    this.#stuck.remove(uid);
    if (this.#placer.withdraw(uid)) this.#unstick();
  }

  #unstick(): void {
    if (this.#stuck.size === 0 && this.#placer.nominated.size === 0) return;
    this.#retryStuck = true;
    this.#bell.ring();
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const reports = [...this.#retry()];
    const placed: Placed[] = [];
    const nominated: Nominated[] = [];
    const claiming: Claiming[] = [];
    for (const pod of this.#takeBatch()) {
      const outcome = this.#place(pod);
      if (outcome === undefined) continue;
      if ('candidate' in outcome) placed.push(outcome);
      else if ('victims' in outcome) nominated.push(outcome);
      else if ('claims' in outcome) claiming.push(outcome);
      else reports.push(outcome);
    }
    await Promise.all([
      ...placed.map((placement) => this.#bind(placement, signal)),
      ...claiming.map((claims) => this.#selectNode(claims, signal)),
      ...nominated.map((nomination) => this.#makeRoom(nomination, signal)),
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

  /** Undefined when the pod goes on waiting, or cannot even be looked at: then it holds nobody up. */
  #place(pod: Pod): Placed | Nominated | Claiming | Report | undefined {
    const { uid } = pod.metadata;
    try {
      const outcome = this.#placer.place(pod);
      switch (outcome.type) {
        case 'placed':
          this.#assumed.add(uid);
          return { pod, ...outcome };
        case 'room':
          return { pod, ...outcome };
        case 'claims':
          return { pod, node: outcome.node, claims: outcome.claims };
        case 'waits':
          return undefined;
        case 'unschedulable':
          return { pod, message: this.#stick(this.#placer.classOf(pod), pod) };
      }
    } catch (error) {
      this.#options.log.error(
        { pod: displayName(nameOf(pod)), error },
        `scheduling failed: ${messageOf(error)}`,
      );
      this.#teller.record(pod, 'the scheduler could not decide', messageOf(error));
      this.#retryLater(pod);
      return undefined;
    }
  }

  #stick(podClass: PodClass, pod: Pod): string {
    return this.#stuck.add(podClass, pod, {
      now: this.#options.clock.now(),
      explain: () => this.#placer.explain(podClass),
    });
  }

  #retry(): readonly Report[] {
    if (!this.#retryStuck) return [];
    this.#retryStuck = false;
    const { freed, reports } = this.#stuck.retry(this.#options.clock.now(), {
      fits: (podClass) => this.#placer.fits(podClass),
      explain: (podClass) => this.#placer.explain(podClass),
    });
    for (const pod of freed) this.#active.set(pod.metadata.uid, pod);
    for (const [uid, { pod }] of this.#placer.nominated)
      if (!this.#active.has(uid)) this.#active.set(uid, pod);
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
      this.#teller.record(pod, because);
      const message = `Successfully assigned ${namespace ?? ''}/${pod.metadata.name} to ${node}`;
      await executor.execute(
        { type: 'event', event: { regarding: pod, type: 'Normal', reason: 'Scheduled', message } },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      this.#unbound(pod);
      this.#teller.record(pod, because, messageOf(error));
      const fields = { pod: displayName(nameOf(pod)), node, error: messageOf(error) };
      if (hasCode(error, 'Conflict', 'NotFound')) log.debug(fields, 'pod changed while it was bound');
      else log.warn(fields, 'binding failed');
    }
  }

  #unbound(pod: Pod): void {
    const { uid } = pod.metadata;
    // The view may have learnt meanwhile that the pod is gone, or whose it is: then nothing is to be undone.
    if (!this.#assumed.delete(uid)) return;
    if (this.#placer.table.unassign(uid) !== undefined) this.#unstick();
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
    this.#teller.record(pod, message);
    await this.#teller.tell(pod, unschedulableActions(pod, { message }, this.#options.clock.now()), signal);
  }

  async #selectNode({ pod, node, claims }: Claiming, signal: AbortSignal): Promise<void> {
    this.#teller.record(pod, `its claims get volumes for ${node}, where it will be`);
    const actions = claims.map((claim) => selectNodeAction(claim, node));
    if (await this.#teller.tell(pod, actions, signal)) return;
    if (this.#placer.withdraw(pod.metadata.uid)) this.#unstick();
    this.#retryLater(pod);
  }

  async #makeRoom({ pod, node, victims, message }: Nominated, signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.now();
    this.#teller.record(pod, message);
    const ours = new Set(victims.filter(({ metadata }) => this.#placer.nominated.has(metadata.uid)));
    // One that only waits for the node has nothing to leave: it looks for another.
    for (const victim of ours) {
      this.#dismiss(victim.metadata.uid);
      this.#enqueue(victim);
    }
    const told = await Promise.all([
      this.#teller.tell(pod, unschedulableActions(pod, { message, nominated: node }, now), signal),
      ...victims
        .filter((victim) => !ours.has(victim))
        .map((victim) => this.#teller.tell(victim, preemptionActions(victim, pod, now), signal)),
    ]);
    if (told.every(Boolean) || !this.#placer.withdraw(pod.metadata.uid)) return;
    this.#unstick();
    this.#retryLater(pod);
  }
}

export const createScheduler = (options: SchedulerOptions): Scheduler => new PodScheduler(options);
