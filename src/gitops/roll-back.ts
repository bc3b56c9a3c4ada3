// A revert of exactly one application's folder to its last healthy revision, as a commit that says why.
import type { Clock } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { View } from '../client/view.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import { applications } from '../resources/kinds/applications.js';
import type { ApplicationState } from './application-state.js';
import type { ClusterConfig } from './cluster-config.js';
import type { Journal } from './journal.js';
import { rolloutTrailers } from './rollout-facts.js';
import type { Commit, ObjectId, Person, Source } from './source.js';

export interface RollBackOptions {
  readonly source: Source;
  readonly author: Person;
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: Journal;
  readonly events: EventRecorder;
  readonly view: View;
  config(): ClusterConfig;
}

export type RollBack = (state: ApplicationState, reason: string, signal: AbortSignal) => Promise<void>;

/** Object id of a folder in a commit; undefined when it is not there. */
export const folderIn = async (
  source: Pick<Source, 'tree'>,
  commit: Commit,
  path: string,
  signal: AbortSignal,
): Promise<ObjectId | undefined> => {
  let oid = commit.tree;
  for (const step of path.split('/').filter((part) => part !== '' && part !== '.')) {
    const entry = (await source.tree(oid, signal)).find(({ name, type }) => name === step && type === 'tree');
    if (entry === undefined) return undefined;
    oid = entry.oid;
  }
  return oid;
};

const short = (revision: string): string => revision.slice(0, 8);

export const rollBackMessage = (facts: {
  readonly application: string;
  readonly path: string;
  readonly failed: Commit;
  readonly to: ObjectId;
  readonly reason: string;
  /** More of what is known, such as the metric that failed. */
  readonly trailers?: readonly string[];
}): string => {
  const { application, path, failed, to, reason, trailers = [] } = facts;
  const subject = failed.message.split('\n')[0] ?? '';
  return [
    `Roll ${application} back to ${short(to)}`,
    '',
    `"${subject}" (${short(failed.oid)}) did not become healthy:`,
    `${reason}.`,
    '',
    `${path === '' ? 'The repository is' : `${path} is`} as it was in ${to}; nothing else is touched.`,
    '',
    `Capstan-Revision: ${to}`,
    `Capstan-Rolled-Back: ${failed.oid}`,
    `Capstan-Application: ${application}`,
    'Capstan-Phase: RolledBack',
    `Capstan-Reason: ${reason.replaceAll('\n', ' ')}`,
    ...trailers,
  ].join('\n');
};

interface Result {
  /** Undefined: none was written. */
  readonly commit?: string;
  readonly told: string;
}

/** Undefined: a newer commit has changed the folder, and wins. */
const write = async (
  options: RollBackOptions,
  state: ApplicationState,
  reason: string,
  signal: AbortSignal,
): Promise<Result | undefined> => {
  const { source } = options;
  const { spec, target, healthyRevision } = state;
  if (spec === undefined || target === undefined || healthyRevision === undefined) return undefined;
  const head = await source.head(signal);
  const there = await folderIn(source, head, spec.path, signal);
  if (there !== target.rendered.tree) return undefined;
  const good = await source.commit(healthyRevision, signal);
  const tree = await folderIn(source, good, spec.path, signal);
  if (tree === undefined)
    return { told: `${short(healthyRevision)} has no folder ${spec.path} to go back to` };
  if (tree === there)
    return {
      told: `its manifests are those of ${short(healthyRevision)}, with which it was healthy: there is nothing to take back`,
    };
  const failed = await source.commit(target.revision, signal);
  const proposal = options.config().rollback.write === 'proposal';
  const branch = proposal ? `capstan/rollback/${short(target.revision)}` : source.branch;
  const commit = await source.write(
    {
      branch,
      expected: proposal ? await tipOf(source, branch, signal) : head.oid,
      parents: [head.oid],
      author: options.author,
      message: rollBackMessage({
        application: state.name,
        path: spec.path,
        failed,
        to: healthyRevision,
        reason,
        trailers: rolloutTrailers(options.view, state.name),
      }),
      at: options.clock.now(),
      base: head.tree,
      replace: new Map([[spec.path, { oid: tree, type: 'tree' as const }]]),
    },
    signal,
  );
  return {
    commit: commit.oid,
    told: proposal
      ? `the way back to ${short(healthyRevision)} is proposed as branch ${branch}: merge it, or push a fix`
      : `${short(target.revision)} was rolled back to ${short(healthyRevision)}`,
  };
};

const remember = (
  options: RollBackOptions,
  state: ApplicationState,
  { reason, revision, commit, told }: Result & { readonly reason: string; readonly revision: string },
): void => {
  const { clock, journal, log, view, events } = options;
  const { healthyRevision } = state;
  state.rolledBack = {
    revision,
    ...(healthyRevision === undefined ? {} : { to: healthyRevision }),
    ...(commit === undefined ? {} : { commit }),
    at: toTimestamp(clock.now()),
    reason: told,
  };
  const message = `${reason}; ${told}`;
  log.warn({ application: state.name, revision, commit }, message);
  journal.record({ application: state.name, revision, outcome: 'RolledBack', message });
  const regarding = view.get(applications, { name: state.name });
  if (regarding !== undefined)
    events.record({ regarding, type: 'Warning', reason: 'RolledBack', message: message.slice(0, 1_000) });
};

/** On a race with a push the newer commit wins: it is looked at first, and rolled back only if it fails too. */
export const createRollBack =
  (options: RollBackOptions): RollBack =>
  async (state, reason, signal) => {
    const { source, log } = options;
    // The loop may follow the revert before this function goes on: the revision that failed is this one.
    const revision = state.target?.revision ?? '';
    try {
      const result = await write(options, state, reason, signal);
      if (result !== undefined) remember(options, state, { ...result, reason, revision });
    } catch (error) {
      signal.throwIfAborted();
      if (hasCode(error, 'Conflict')) {
        log.info(
          { application: state.name, error: messageOf(error) },
          'the branch moved: looking at the newer commit first',
        );
        throw error;
      }
      remember(options, state, {
        told: `it could not be rolled back: ${messageOf(error)}`,
        reason,
        revision,
      });
    } finally {
      source.poke();
    }
  };

const tipOf = async (source: Source, branch: string, signal: AbortSignal): Promise<ObjectId | undefined> => {
  try {
    return (await source.resolve(branch, signal)).oid;
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
};
