// What is next for an application, and how to call the place where it stands. Pure.
import type { Instant } from '../base/clock.js';
import type { ApplicationRollback } from '../resources/generated/types.js';
import type { ApplicationSpec, ClusterConfig } from './cluster-config.js';
import type { FailedSync } from './application-state.js';
import { problemText, type Problem } from './problem.js';
import { windowState } from './window.js';

export type Phase = 'Synced' | 'Progressing' | 'Healthy' | 'Degraded' | 'Failed' | 'Held';

export interface Facts {
  readonly name: string;
  /** Undefined: the head of the branch has no such application any more. */
  readonly spec: ApplicationSpec | undefined;
  readonly head: { readonly revision: string; readonly problems: readonly Problem[] };
  /** Undefined: no revision without problems is known. */
  readonly target: { readonly revision: string; readonly isNew: boolean } | undefined;
  /** Objects that are not known to be as they should. */
  readonly unsettled: number;
  /** Objects that somebody changed past Git, with a reason: who, why, and until when they are left so. */
  readonly held: readonly { readonly until: Instant; readonly message: string }[];
  /** Objects to be deleted. */
  readonly gone: number;
  readonly drifted: number;
  readonly failed: FailedSync | undefined;
  /** When a revision that the API server refused is tried again. */
  readonly retryRefusedAt: Instant | undefined;
  readonly dependencies: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly message: string;
  }[];
  readonly health: {
    readonly degraded: readonly string[];
    readonly progressing: readonly string[];
    /** An object that failed for good, in a sentence. */
    readonly failure: string | undefined;
  };
  readonly rollback: ClusterConfig['rollback']['write'];
  readonly healthyRevision: string | undefined;
  readonly rolledBack: ApplicationRollback | undefined;
}

export interface Step {
  readonly next:
    'sync' | 'heal' | 'report-drift' | 'remove' | 'forget' | 'roll-back' | 'try-again' | 'nothing';
  readonly phase: Phase;
  readonly message: string;
  readonly wakeAt?: Instant | undefined;
}

const short = (revision: string): string => revision.slice(0, 8);

const listed = (items: readonly string[]): string => {
  const [first = '', ...rest] = items;
  return rest.length === 0 ? first : `${first}, and ${String(rest.length)} more`;
};

/** What an application waits for before a new revision of it is carried out. */
const gate = ({ spec, dependencies }: Facts, now: Instant): Step | undefined => {
  const waiting = dependencies.filter(({ ready }) => !ready);
  if (waiting.length > 0)
    return {
      next: 'nothing',
      phase: 'Progressing',
      message: `waits for ${waiting.map(({ name, message }) => `${name} (${message})`).join(', ')}`,
    };
  const { open, opensAt } = windowState(spec?.windows ?? [], now);
  if (open) return undefined;
  const at = opensAt === undefined ? 'never' : new Date(opensAt).toISOString().slice(0, 16).replace('T', ' ');
  return {
    next: 'nothing',
    phase: 'Held',
    message: `waits for its window, which opens at ${at} UTC`,
    wakeAt: opensAt,
  };
};

const work = (facts: Facts, now: Instant): Step | undefined => {
  const { target, unsettled, gone, failed, spec } = facts;
  if (target === undefined || spec === undefined) return undefined;
  if (unsettled + gone === 0 && !target.isNew) return undefined;
  if (failed !== undefined && failed.retryAt > now)
    return {
      next: 'nothing',
      phase: 'Failed',
      message: `${short(failed.revision)} cannot be carried out: ${listed(failed.problems.map(problemText))}`,
      wakeAt: failed.retryAt,
    };
  const count = unsettled + gone;
  const message = `${String(count)} ${count === 1 ? 'object differs' : 'objects differ'} from ${short(target.revision)}`;
  if (!target.isNew) return { next: spec.selfHeal ? 'heal' : 'report-drift', phase: 'Progressing', message };
  return gate(facts, now) ?? { next: 'sync', phase: 'Progressing', message };
};

/** Only what a newer revision brought can be taken back, and only once. */
const rollBack = (facts: Facts): Step | undefined => {
  const { health, spec, target, healthyRevision, rolledBack, head } = facts;
  if (health.failure === undefined || target === undefined || spec === undefined) return undefined;
  const { failure } = health;
  if (spec.onFailure === 'hold' || facts.rollback === 'none')
    return { next: 'nothing', phase: 'Held', message: `${failure}; it is held as it is: push a fix` };
  if (rolledBack?.revision === target.revision)
    return {
      next: 'nothing',
      phase: 'Degraded',
      message: `${failure}; ${rolledBack.reason ?? 'it was rolled back'}`,
    };
  if (head.revision !== target.revision) return undefined;
  if (healthyRevision === undefined || healthyRevision === target.revision)
    return {
      next: 'nothing',
      phase: 'Degraded',
      message: `${failure}; there is no earlier healthy revision to go back to`,
    };
  return { next: 'roll-back', phase: 'Degraded', message: failure };
};

const standing = (facts: Facts): Step => {
  const { health, target, drifted } = facts;
  const at = target === undefined ? 'nothing' : short(target.revision);
  if (health.degraded.length > 0)
    return { next: 'nothing', phase: 'Degraded', message: listed(health.degraded) };
  if (health.progressing.length > 0)
    return { next: 'nothing', phase: 'Progressing', message: listed(health.progressing) };
  const drift =
    drifted === 0
      ? ''
      : `; ${String(drifted)} ${drifted === 1 ? 'object differs' : 'objects differ'} and is left so`;
  return { next: 'nothing', phase: 'Healthy', message: `runs ${at}${drift}` };
};

const earlier = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

/** Manifests with errors: what ran before goes on, and is kept as it was. */
const invalid = (facts: Facts, now: Instant): Step => {
  const { retryRefusedAt } = facts;
  const { head, target, unsettled, gone, spec } = facts;
  const count = head.problems.length;
  const running = target === undefined ? 'nothing of it runs' : `${short(target.revision)} keeps running`;
  const message = `${short(head.revision)} has ${String(count)} ${count === 1 ? 'error' : 'errors'}, ${running}: ${listed(head.problems.map(problemText))}`;
  if (retryRefusedAt !== undefined && retryRefusedAt <= now)
    return { next: 'try-again', phase: 'Failed', message };
  const heals = target !== undefined && spec?.selfHeal !== false && unsettled + gone > 0;
  if (!heals || (facts.failed !== undefined && facts.failed.retryAt > now))
    return {
      next: 'nothing',
      phase: 'Failed',
      message,
      wakeAt: earlier(retryRefusedAt, heals ? facts.failed?.retryAt : undefined),
    };
  return { next: 'heal', phase: 'Failed', message };
};

/** What is left alone for a while does not count as drift before that is over, and is told until then. */
export const nextStep = (facts: Facts, now: Instant): Step => {
  const held = facts.held.filter(({ until }) => until > now);
  const over = facts.held.length - held.length;
  const step = stepOf({ ...facts, unsettled: facts.unsettled + over }, now);
  if (held.length === 0) return step;
  const wakeAt = Math.min(...held.map(({ until }) => until), step.wakeAt ?? Infinity);
  return { ...step, wakeAt, message: [step.message, ...held.map(({ message }) => message)].join('; ') };
};

const stepOf = (facts: Facts, now: Instant): Step => {
  if (facts.spec === undefined)
    return facts.gone > 0
      ? { next: 'remove', phase: 'Progressing', message: 'has left the repository: its objects are deleted' }
      : { next: 'forget', phase: 'Progressing', message: 'has left the repository' };
  if (facts.head.problems.length > 0) return invalid(facts, now);
  return work(facts, now) ?? rollBack(facts) ?? standing(facts);
};
