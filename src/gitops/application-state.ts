// What the Git loop remembers of each application between its turns. Everything here can be lost: it is found again in
// Git, in the cluster and in the Application's status.
import type { Instant } from '../base/clock.js';
import { canonical } from '../base/json.js';
import type {
  ApplicationDrift,
  ApplicationRollback,
  ApplicationStatus,
} from '../resources/generated/types.js';
import type { Resource } from '../resources/resource.js';
import type { ApplicationSpec } from './cluster-config.js';
import { sameIntent } from './difference.js';
import type { Problem } from './problem.js';
import type { DesiredObject, RenderedApplication } from './render.js';

/** An object that was found to be, or was made, as the repository says. */
interface Settled {
  readonly desired: DesiredObject;
  /** Undefined: it does not exist, and that is known drift. */
  readonly live: Resource | undefined;
  /** It differs, and is left so because the application does not heal itself. */
  readonly drift: ApplicationDrift | undefined;
}

/** How the last attempt to carry a revision out ended, when it did not end well. */
export interface FailedSync {
  readonly revision: string;
  readonly problems: readonly Problem[];
  readonly attempts: number;
  readonly retryAt: Instant;
}

/** A revision that the API server has refused: the one before goes on, and this one is tried again later. */
export interface Refused {
  readonly target: Target;
  readonly retryAt: Instant;
}

/** What is to run: the newest revision of the application that has no problems. */
export interface Target {
  readonly revision: string;
  readonly rendered: RenderedApplication;
}

export class ApplicationState {
  readonly name: string;
  /** As the head of the branch has it; undefined: it has no such application. */
  spec: ApplicationSpec | undefined;
  head: { readonly revision: string; readonly problems: readonly Problem[] } | undefined;
  target: Target | undefined;
  /** What was last carried out completely. */
  synced: Target | undefined;
  syncedRevision: string | undefined;
  syncedAt: string | undefined;
  failed: FailedSync | undefined;
  refused: Refused | undefined;
  /** The last revision of which it was told that it is refused: once is enough. */
  refusedOnce: string | undefined;
  healthyRevision: string | undefined;
  rolledBack: ApplicationRollback | undefined;
  /** The last one written, until the view shows it. */
  status: ApplicationStatus | undefined;
  /** Every object of the target was well when it was looked at last. */
  isWell = false;
  /** Ends a sync that runs: its revision is not wanted any more. */
  supersede: AbortController | undefined;
  readonly settled = new Map<string, Settled>();
  /** Answers to own writes, until the view shows them. */
  readonly written = new Map<string, Resource>();
  #ids:
    | { readonly objects: readonly DesiredObject[]; readonly map: ReadonlyMap<string, DesiredObject> }
    | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get objects(): readonly DesiredObject[] {
    return this.target?.rendered.objects ?? [];
  }

  get ids(): ReadonlyMap<string, DesiredObject> {
    if (this.#ids?.objects !== this.objects)
      this.#ids = {
        objects: this.objects,
        map: new Map(this.objects.map((desired) => [desired.id, desired])),
      };
    return this.#ids.map;
  }

  /** The target has not been carried out yet. */
  get isNew(): boolean {
    return this.target !== undefined && this.synced?.rendered.objects !== this.target.rendered.objects;
  }

  /** Takes over what the status of an earlier process says. */
  restore(status: ApplicationStatus | undefined): void {
    this.syncedRevision ??= status?.revision;
    this.syncedAt ??= status?.syncedAt;
    this.healthyRevision ??= status?.healthyRevision;
    this.rolledBack ??= status?.rolledBack;
  }

  /** A newer revision ends whatever is under way for the one before. */
  aim(target: Target): void {
    const before = this.target;
    this.target = target;
    // A process that starts over finds the revision that the one before had carried out.
    this.refused = undefined;
    if (before === undefined && this.syncedRevision === target.revision) this.synced = target;
    if (!this.isNew) this.carriedOut(target);
    if (before?.rendered.objects === target.rendered.objects) return;
    this.failed = undefined;
    this.supersede?.abort(new DOMException(`superseded by ${target.revision.slice(0, 8)}`, 'AbortError'));
    const wanted = this.ids;
    for (const id of this.settled.keys()) if (!wanted.has(id)) this.settled.delete(id);
  }

  carriedOut(target: Target): void {
    if (this.synced !== target) this.isWell = false;
    this.synced = target;
    this.syncedRevision = target.revision;
    this.failed = undefined;
  }

  /** Goes back to what was carried out last, if anything was: that keeps running and healing. */
  refuse(problems: readonly Problem[], retryAt: Instant): boolean {
    const { target, synced } = this;
    if (target === undefined || synced === undefined || !this.isNew) return false;
    this.refused = { target, retryAt };
    this.head = { revision: target.revision, problems };
    this.target = synced;
    this.failed = undefined;
    return true;
  }

  /** Whatever waits for a later attempt is tried at the next turn. */
  tryAgain(): void {
    this.failed = undefined;
    if (this.refused === undefined) return;
    this.target = this.refused.target;
    this.head = { revision: this.target.revision, problems: [] };
    this.refused = undefined;
  }

  /** What else is said about the application changes what its objects are to look like. */
  describe(spec: ApplicationSpec | undefined): void {
    if (this.spec !== undefined && canonical(this.spec) !== canonical(spec)) this.settled.clear();
    this.spec = spec;
  }

  settle(desired: DesiredObject, live: Resource | undefined, drift?: ApplicationDrift): void {
    this.settled.set(desired.id, { desired, live, drift });
  }

  /** Cheap, for every object on every turn: almost always the very same object as last time. */
  isSettled(desired: DesiredObject, live: Resource | undefined): boolean {
    const known = this.settled.get(desired.id);
    if (known?.desired !== desired) return false;
    if (known.live === live) return true;
    if (known.live === undefined || live === undefined || !sameIntent(known.live, live)) return false;
    this.settled.set(desired.id, { ...known, live });
    return true;
  }

  get drift(): readonly ApplicationDrift[] {
    return [...this.settled.values()].flatMap(({ drift }) => drift ?? []);
  }
}
