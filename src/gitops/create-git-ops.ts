// The Git loop as one part of the process: what follows the repository, what decides and carries out, what reports.
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Extension, HttpHandler } from '../base/http.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { Informers } from '../client/informers.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import type { DecisionLog } from '../reconcile/decision-log.js';
import { createLoop } from '../reconcile/loop.js';
import { runnable } from '../reconcile/runnable.js';
import { resourceNameOf, type Kind } from '../resources/kind.js';
import { kindSource } from '../resources/kind-source.js';
import type { Kinds, KindSource } from '../resources/kind-source.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import { ApplicationController } from './application-controller.js';
import type { ApplicationState } from './application-state.js';
import { createExtension } from './extension.js';
import { GitExecutor } from './git-executor.js';
import { GitLoop } from './git-loop.js';
import { Journal } from './journal.js';
import type { ManifestRules } from './manifest-file.js';
import type { Plan } from './plan-text.js';
import { planRevision } from './plan-revision.js';
import { createPushGate, type PushGate } from './push-gate.js';
import type { Revision } from './revision.js';
import { createRollBack } from './roll-back.js';
import type { ObjectReader, Renderer, Source } from './source.js';
import { StatusBranch } from './status-branch.js';
import { createWebhook } from './webhook.js';

export interface GitOpsOptions {
  /** Acts as Capstan itself. */
  readonly cluster: Cluster;
  /** Watch everything that manifests may hold, applications, repositories and namespaces. */
  readonly informers: Informers;
  readonly kinds: Kinds;
  readonly source: Source;
  readonly renderer: Renderer;
  readonly events: EventRecorder;
  readonly decisions?: DecisionLog | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** In the address of Capstan's commits: `capstan@NAME.cluster`. */
  readonly clusterName: string;
  /** Shared with the forge that calls `/hooks/git`; without it those calls are refused. */
  readonly webhookSecret?: string | undefined;
}

export interface GitOps {
  /** Runs until the signal aborts, from when the informers have listed everything. */
  run(signal: AbortSignal): Promise<void>;
  /** `/capstan/v1`, for clients that the API server has authenticated. */
  readonly extension: Extension;
  /** What the hooks of a repository of Capstan's own ask. */
  readonly pushGate: PushGate;
  /** `POST /hooks/git`: authenticated by the signature that the forge puts on it, not by certificates. */
  readonly webhook: HttpHandler;
}

/** Kinds that the cluster itself writes all the time and nobody keeps in Git. */
const notForGit: ReadonlySet<string> = new Set([
  'events',
  'events.events.k8s.io',
  'leases.coordination.k8s.io',
  'applications.capstan.dev',
  'repositories.capstan.dev',
]);

const openJournal = async (
  journal: Journal,
  { informers, clock, log }: GitOpsOptions,
  signal: AbortSignal,
): Promise<void> => {
  await informers.ready(signal);
  for (let delay = 200; ; delay = Math.min(10_000, delay * 2))
    try {
      await journal.open();
      return;
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ error: messageOf(error) }, 'the Repository object cannot be made: trying again');
      await clock.sleep(delay, signal);
    }
};

/** What was refused for want of a namespace need not wait for its next attempt. */
const tryAgain = (
  states: ReadonlyMap<string, ApplicationState>,
  nudge: (application: string) => void,
): void => {
  for (const state of states.values()) {
    if (state.failed === undefined && state.refused === undefined) continue;
    state.tryAgain();
    nudge(state.name);
  }
};

const isForGit = (kind: Kind, informers: Informers): boolean =>
  !notForGit.has(resourceNameOf(kind)) && (kind.schema !== undefined || informers.watches(kind));

/** What manifests may be of, made anew only when other kinds are served. */
const rulesFor = (source: KindSource, informers: Informers): (() => ManifestRules) => {
  let last: { readonly of: readonly Kind[]; readonly rules: ManifestRules } | undefined;
  return () => {
    const of = source.served();
    if (last?.of !== of)
      last = {
        of,
        rules: { kinds: of.filter((kind) => kind.schema !== undefined || informers.watches(kind)) },
      };
    return last.rules;
  };
};

/** Tries again when a namespace comes; reads anew when other kinds are served. Returns what ends it. */
const whenMoreExists = (
  kinds: KindSource,
  informers: Informers,
  { git, again }: { readonly git: GitLoop; again(): void },
): (() => void) => {
  const unsubscribe = informers.subscribe(namespaces, ({ type }) => {
    if (type === 'added') again();
  });
  const unfollow = kinds.subscribe(() => {
    git.reread();
    again();
  });
  return () => {
    unsubscribe();
    unfollow();
  };
};

export const createGitOps = (options: GitOpsOptions): GitOps => {
  const { cluster, informers, source, clock, log, events, renderer } = options;
  const { view } = informers;
  const kinds = kindSource(options.kinds);
  const rules = rulesFor(kinds, informers);
  const author = { name: 'Capstan', email: `capstan@${options.clusterName}.cluster` };
  const states = new Map<string, ApplicationState>();
  const journal = new Journal({ cluster, clock, log, address: source.address, branch: source.branch });
  const nudge = (application: string): void => loop.nudge(controller.name, { name: application });

  const git = new GitLoop({
    source,
    rules,
    renderer,
    clock,
    log,
    view,
    journal,
    states,
    nudge,
  });
  const controller = new ApplicationController({
    kinds: () => kinds.stored().filter((kind) => isForGit(kind, informers)),
    informers,
    states,
    config: () => git.config,
    isReady: () => git.isReady,
  });
  const rollBack = createRollBack({
    source,
    author,
    clock,
    log,
    journal,
    events,
    view,
    config: () => git.config,
  });
  const executor = new GitExecutor({
    cluster,
    view,
    reader: source,
    clock,
    log,
    events,
    journal,
    states,
    controller,
    rollBack,
    nudge,
  });
  const loop = createLoop({
    controllers: [runnable(controller, executor, { width: 4 })],
    informers,
    clock,
    log,
    decisions: options.decisions,
  });
  const status = new StatusBranch({ source, informers, author, clock, log, config: () => git.config.status });

  const plan = (revision: Revision, reader: ObjectReader, signal: AbortSignal): Promise<Plan> =>
    planRevision(revision, { cluster, view, reader, controller, states, signal });

  return {
    extension: createExtension({ view, source, git, journal, states, plan, nudge }),
    pushGate: createPushGate({ source, git, plan }),
    webhook: createWebhook({ secret: options.webhookSecret, poke: () => source.poke() }),
    run: async (signal) => {
      await openJournal(journal, options, signal);
      const end = whenMoreExists(kinds, informers, { git, again: () => tryAgain(states, nudge) });
      try {
        await Promise.all([git.run(signal), loop.run(signal), status.run(signal)]);
        await journal.settled();
      } finally {
        end();
      }
    },
  };
};
