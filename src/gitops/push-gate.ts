// What a push hears: before Git accepts it, every error in it; afterwards, what it changes.
import { LRUCache } from 'lru-cache';
import { messageOf } from '../base/errors.js';
import type { GitLoop } from './git-loop.js';
import { planLines, type Plan } from './plan-text.js';
import { problemText, type Problem } from './problem.js';
import { problemsOf, type Revision } from './revision.js';
import type { ObjectReader, Quarantine, Source } from './source.js';

/** One line of a hook's standard input. */
export interface RefUpdate {
  readonly before: string;
  readonly after: string;
  readonly ref: string;
}

export interface PushRequest {
  readonly hook: 'pre-receive' | 'post-receive';
  readonly updates: readonly RefUpdate[];
  readonly quarantine?: Quarantine | undefined;
}

export interface PushAnswer {
  /** False: Git is to refuse the push. */
  readonly accepted: boolean;
  /** For the person who pushes. */
  readonly lines: readonly string[];
}

export type PushGate = (request: PushRequest, signal: AbortSignal) => Promise<PushAnswer>;

export interface PushGateOptions {
  readonly source: Source;
  readonly git: GitLoop;
  plan(revision: Revision, reader: ObjectReader, signal: AbortSignal): Promise<Plan>;
}

const isNothing = (oid: string): boolean => /^0+$/.test(oid);

export const refusal = (problems: readonly Problem[]): readonly string[] => [
  `Refused, and nothing was changed: ${String(problems.length)} ${problems.length === 1 ? 'error' : 'errors'}`,
  ...problems.map((problem) => `  ${problemText(problem)}`),
];

const key = ({ file, message }: Problem): string => `${file}\n${message}`;

/** Errors that the branch had before are told, but a push that leaves them as they are is not to blame. */
export const newProblems = (before: readonly Problem[], after: readonly Problem[]): readonly Problem[] => {
  const known = new Set(before.map(key));
  return after.filter((problem) => problem.held !== true && !known.has(key(problem)));
};

const branchOf = (ref: string): string | undefined =>
  ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;

const allProblems = (revision: Revision, plan: Plan): readonly Problem[] => {
  const own = problemsOf(revision);
  const seen = new Set(own.map(key));
  const more = plan.applications
    .flatMap(({ problems }) => problems)
    .filter((problem) => !seen.has(key(problem)));
  return [...own, ...more];
};

export const createPushGate = ({ source, git, plan }: PushGateOptions): PushGate => {
  /** Made before the push was accepted: once it is, the sync may be quicker than the second hook. */
  const plans = new LRUCache<string, readonly string[]>({ max: 20 });

  const inspect = async (
    { after }: RefUpdate,
    reader: ObjectReader,
    signal: AbortSignal,
  ): Promise<{ readonly problems: readonly Problem[]; readonly lines: readonly string[] }> => {
    const revision = await git.read(reader, await reader.commit(after, signal), signal);
    const planned = await plan(revision, reader, signal);
    return { problems: allProblems(revision, planned), lines: planLines(planned, { coloured: false }) };
  };

  const before = async ({ updates, quarantine }: PushRequest, signal: AbortSignal): Promise<PushAnswer> => {
    const update = updates.find(({ ref }) => branchOf(ref) === source.branch);
    if (update === undefined) return { accepted: true, lines: [] };
    if (isNothing(update.after))
      return {
        accepted: false,
        lines: [
          `Refused: ${source.branch} is the branch that runs, and is not deleted. Empty it, or start Capstan with another --branch`,
        ],
      };
    const reader = quarantine === undefined ? undefined : source.quarantined(quarantine);
    try {
      const { problems, lines } = await inspect(update, reader ?? source, signal);
      const known = git.revision === undefined ? [] : problemsOf(git.revision);
      const fresh = newProblems(known, problems);
      if (fresh.length > 0) return { accepted: false, lines: refusal(fresh) };
      plans.set(update.after, lines);
      return { accepted: true, lines: [] };
    } finally {
      reader?.close();
    }
  };

  const after = async ({ updates }: PushRequest, signal: AbortSignal): Promise<PushAnswer> => {
    const lines: string[] = [];
    for (const update of updates) {
      const branch = branchOf(update.ref);
      if (branch === undefined || branch.startsWith('capstan/') || isNothing(update.after)) continue;
      if (branch === source.branch) source.poke();
      try {
        const known = plans.get(update.after);
        const { lines: told, problems } =
          known === undefined ? await inspect(update, source, signal) : { lines: known, problems: [] };
        if (branch !== source.branch) lines.push(`${branch}, if it were merged:`);
        lines.push(...told);
        if (problems.length > 0)
          lines.push(`${branch} cannot be merged like this: ${String(problems.length)} errors`);
      } catch (error) {
        signal.throwIfAborted();
        lines.push(`The plan of ${branch} cannot be made: ${messageOf(error)}`);
      }
    }
    return { accepted: true, lines };
  };

  return (request, signal) =>
    request.hook === 'pre-receive' ? before(request, signal) : after(request, signal);
};
