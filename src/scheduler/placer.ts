// Where a pod goes: the node table, the candidates of each class of pods, and what is kept free for pods that wait for
// others to leave. Nothing here waits or writes.
import type { PersistentVolumeClaim, Pod } from '../resources/generated/types.js';
import { isDeleting } from '../resources/resource.js';
import { selectedNode } from '../resources/storage/binding.js';
import { Candidates } from './candidates.js';
import type { Candidate, Rules } from './candidates.js';
import type { VolumeFacts } from './couplings/coupling.js';
import { pendingClaims } from './couplings/volumes.js';
import { TermMatcher, type NamespaceLabels } from './couplings/term.js';
import { explainUnschedulable } from './explain.js';
import { NodeTable } from './node-table.js';
import type { PodClass } from './placement.js';
import { PodClasses } from './pod-class.js';
import { preemptionFor, type Preemption, type PreemptionOptions } from './preemption.js';

export interface PlacerOptions extends Pick<PreemptionOptions, 'budgets'> {
  readonly rules: Rules;
  readonly namespaceLabels: NamespaceLabels;
  readonly volumes: VolumeFacts;
  /** Classes of before mean nothing any more. */
  reclassified(): void;
}

export type Outcome =
  /** The pod is counted on its node from now on. */
  | { readonly type: 'placed'; readonly candidate: Candidate; readonly among: number }
  /** Others have to leave the node first; what the pod needs there is kept for it. */
  | ({ readonly type: 'room'; readonly message: string } & Preemption)
  /** The pod's claims are to get their volumes for this node first; what the pod needs there is kept for it. */
  | { readonly type: 'claims'; readonly node: string; readonly claims: readonly PersistentVolumeClaim[] }
  /** Those that have to leave have not left yet, or claims have no volume yet. */
  | { readonly type: 'waits' }
  | { readonly type: 'unschedulable' };

export interface Nomination {
  readonly pod: Pod;
  readonly node: string;
  /** Uids of the pods that were asked to leave. */
  readonly victims: ReadonlySet<string>;
}

const remembered = 256;

export class Placer {
  readonly table = new NodeTable();
  readonly #options: PlacerOptions;
  readonly #classes = new PodClasses();
  readonly #candidates = new Map<string, Candidates>();
  readonly #matcher: TermMatcher;
  readonly #nominated = new Map<string, Nomination>();
  /** Classes for which preemption did not help, with the state of the table then. */
  readonly #hopeless = new Map<string, number>();
  #generation = 0;

  constructor(options: PlacerOptions) {
    this.#options = options;
    this.#matcher = new TermMatcher(options.namespaceLabels);
  }

  /** Pods that wait for a node to become free, by uid. */
  get nominated(): ReadonlyMap<string, Nomination> {
    return this.#nominated;
  }

  /** A term that asks about a label of which nobody knew tells pods apart that were equal: all are counted anew. */
  classOf(pod: Pod): PodClass {
    const podClass = this.#classes.of(pod);
    if (this.#classes.generation === this.#generation) return podClass;
    this.#generation = this.#classes.generation;
    this.#candidates.clear();
    this.#hopeless.clear();
    for (const [node, placed] of this.table.placed())
      this.table.assign(placed.pod, node, this.#classes.of(placed.pod));
    this.#options.reclassified();
    return this.classOf(pod);
  }

  assign(pod: Pod, node: string): void {
    this.table.assign(pod, node, this.classOf(pod));
  }

  /** Claims, volumes or their classes have changed. */
  forgetVolumes(): void {
    for (const [id, { claims }] of this.#candidates) if (claims.length > 0) this.#candidates.delete(id);
    this.#hopeless.clear();
  }

  /** Labels of namespaces have changed. */
  forgetNamespaces(): void {
    this.#matcher.forget();
    this.#candidates.clear();
  }

  fits(podClass: PodClass): boolean {
    return this.#candidatesFor(podClass).best() !== undefined;
  }

  explain(podClass: PodClass): string {
    return explainUnschedulable(this.#candidatesFor(podClass), this.table, podClass);
  }

  place(pod: Pod): Outcome {
    const { uid } = pod.metadata;
    const podClass = this.classOf(pod);
    const nominated = this.#nominated.get(uid);
    this.withdraw(uid);
    const candidates = this.#candidatesFor(podClass);
    const candidate = this.#onNominated(candidates, nominated?.node) ?? candidates.best();
    if (candidate === undefined) return this.#preempt(pod, podClass, nominated);
    if (podClass.claims.length > 0) {
      const { name: node } = candidate.node;
      const pending = pendingClaims(podClass, this.#options.volumes);
      if (pending.length > 0) {
        this.#nominate(podClass, { pod, node, victims: new Set() });
        const untold = pending.filter((claim) => claim.metadata.annotations?.[selectedNode] !== node);
        return untold.length === 0 ? { type: 'waits' } : { type: 'claims', node, claims: untold };
      }
    }
    this.table.assign(pod, candidate.node.name, podClass);
    return { type: 'placed', candidate, among: candidates.size };
  }

  /** Keeps nothing for the pod any more; false when nothing was kept. */
  withdraw(uid: string): boolean {
    return this.#nominated.delete(uid) && this.table.unassign(uid) !== undefined;
  }

  #onNominated(candidates: Candidates, nominated: string | undefined): Candidate | undefined {
    const node = nominated === undefined ? undefined : this.table.node(nominated);
    if (node === undefined || candidates.rejection(node) !== undefined) return undefined;
    return { node, score: 0, tie: 0 };
  }

  #preempt(pod: Pod, podClass: PodClass, nominated: Nomination | undefined): Outcome {
    const node = nominated?.node ?? pod.status?.nominatedNodeName ?? '';
    const asked = nominated?.victims ?? new Set();
    if (this.#isBeingFreed(node, podClass, asked)) {
      this.#nominate(podClass, { pod, node, victims: asked });
      return { type: 'waits' };
    }
    const preemption = this.#preemptionFor(podClass);
    if (preemption === undefined) return { type: 'unschedulable' };
    const { victims } = preemption;
    const many = victims.length === 1 ? '1 pod' : `${String(victims.length)} pods`;
    const message = `${this.explain(podClass)} preemption: ${many} of lower priority must leave ${preemption.node} for it.`;
    const uids = new Set(victims.map(({ metadata }) => metadata.uid));
    this.#nominate(podClass, { pod, node: preemption.node, victims: uids });
    return { type: 'room', message, ...preemption };
  }

  #preemptionFor(podClass: PodClass): Preemption | undefined {
    if (this.#hopeless.get(podClass.id) === this.table.cursor) return undefined;
    const preemption = preemptionFor(podClass, {
      table: this.table,
      candidates: this.#candidatesFor(podClass),
      budgets: (namespace) => this.#options.budgets(namespace),
    });
    if (preemption !== undefined) return preemption;
    if (this.#hopeless.size > remembered) this.#hopeless.clear();
    this.#hopeless.set(podClass.id, this.table.cursor);
    return undefined;
  }

  /** Pods of lower priority are on their way from the node, or have just been asked to leave it. */
  #isBeingFreed(node: string, { priority }: PodClass, asked: ReadonlySet<string>): boolean {
    for (const [uid, { pod, podClass }] of this.table.node(node)?.pods ?? [])
      if (podClass.priority < priority && (isDeleting(pod) || asked.has(uid))) return true;
    return false;
  }

  /** Counts what the pod needs as used, so that nobody takes what others leave for it. */
  #nominate(podClass: PodClass, nomination: Nomination): void {
    this.#nominated.set(nomination.pod.metadata.uid, nomination);
    this.table.assign(nomination.pod, nomination.node, podClass);
  }

  #candidatesFor(podClass: PodClass): Candidates {
    const { rules, volumes } = this.#options;
    const options = { table: this.table, rules, surroundings: { matcher: this.#matcher, volumes } };
    const candidates = this.#candidates.get(podClass.id) ?? new Candidates(options, podClass);
    this.#candidates.delete(podClass.id);
    this.#candidates.set(podClass.id, candidates);
    if (this.#candidates.size > remembered)
      for (const oldest of this.#candidates.keys()) {
        this.#candidates.delete(oldest);
        break;
      }
    return candidates;
  }
}
