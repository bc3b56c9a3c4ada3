// Pods that fit nowhere, by class: one look at the nodes decides for all pods of a class, however many wait.
import type { Instant } from '../base/clock.js';
import type { Pod } from '../resources/generated/types.js';
import type { PodClass } from './placement.js';

interface Stuck {
  readonly podClass: PodClass;
  readonly pods: Map<string, Pod>;
  message: string;
  reportedAt: Instant;
}

export interface Report {
  readonly pod: Pod;
  readonly message: string;
}

export interface Retried {
  /** Pods that fit somewhere now. */
  readonly freed: readonly Pod[];
  /** Pods that still wait, but for another reason than they were told. */
  readonly reports: readonly Report[];
}

/** A reason that changes while pods wait is told again at most this often. */
const reportEveryMs = 15_000;
/** Of a large class, so many pods are told of a changed reason. */
const reportAtMost = 100;

export class StuckPods {
  readonly #classes = new Map<string, Stuck>();
  readonly #classOf = new Map<string, Stuck>();

  get size(): number {
    return this.#classOf.size;
  }

  /** True when the pod waits in this class; it is then remembered as it is now. */
  update(podClass: PodClass, pod: Pod): boolean {
    const stuck = this.#classOf.get(pod.metadata.uid);
    if (stuck?.podClass.id !== podClass.id) return false;
    stuck.pods.set(pod.metadata.uid, pod);
    return true;
  }

  /** Answers why; `explain` is asked once per class. */
  add(podClass: PodClass, pod: Pod, { now, explain }: { readonly now: Instant; explain(): string }): string {
    let stuck = this.#classes.get(podClass.id);
    if (stuck === undefined) {
      stuck = { podClass, pods: new Map(), message: explain(), reportedAt: now };
      this.#classes.set(podClass.id, stuck);
    }
    stuck.pods.set(pod.metadata.uid, pod);
    this.#classOf.set(pod.metadata.uid, stuck);
    return stuck.message;
  }

  remove(uid: string): void {
    const stuck = this.#classOf.get(uid);
    if (stuck === undefined) return;
    this.#classOf.delete(uid);
    stuck.pods.delete(uid);
    if (stuck.pods.size === 0) this.#classes.delete(stuck.podClass.id);
  }

  /** Lets go of all pods, and answers them. */
  clear(): readonly Pod[] {
    const all = [...this.#classes.values()].flatMap(({ pods }) => [...pods.values()]);
    this.#classes.clear();
    this.#classOf.clear();
    return all;
  }

  retry(
    now: Instant,
    ask: { fits(podClass: PodClass): boolean; explain(podClass: PodClass): string },
  ): Retried {
    const freed: Pod[] = [];
    const reports: Report[] = [];
    for (const [id, stuck] of this.#classes) {
      if (ask.fits(stuck.podClass)) {
        this.#classes.delete(id);
        for (const [uid, pod] of stuck.pods) {
          this.#classOf.delete(uid);
          freed.push(pod);
        }
      } else if (now - stuck.reportedAt >= reportEveryMs) {
        stuck.reportedAt = now;
        const message = ask.explain(stuck.podClass);
        if (message === stuck.message) continue;
        stuck.message = message;
        for (const pod of [...stuck.pods.values()].slice(0, reportAtMost)) reports.push({ pod, message });
      }
    }
    return { freed, reports };
  }
}
