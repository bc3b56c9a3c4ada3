import { describe, expect, it } from 'vitest';
import { formatIndexes, parseIndexes } from '../../../src/controllers/job/index-set.js';
import { jobController } from '../../../src/controllers/job/job.js';
import { trackedPodController } from '../../../src/controllers/job/tracked-pods.js';
import { trackingFinalizer } from '../../../src/controllers/job/job-pods.js';
import type { ClusterAction } from '../../../src/reconcile/cluster-action.js';
import type { Job, Pod } from '../../../src/resources/generated/types.js';
import { ownedBy } from '../../../src/resources/resource.js';
import { createRandom, seeds } from '../../contract/random.js';
import { at, now, pod } from './objects.js';

const job = (spec: object = {}, status?: object, metadata: object = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name: 'sum',
    namespace: 'shop',
    uid: 'job-1',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: at(-600),
    ...metadata,
  },
  spec: {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    template: {
      metadata: { labels: { app: 'sum' } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'c' }] },
    },
    ...spec,
  },
  ...(status === undefined ? {} : { status: status }),
});

interface Made {
  readonly phase?: string;
  readonly index?: number;
  readonly exit?: number;
  readonly ended?: number;
  readonly tracked?: boolean;
  readonly deleting?: boolean;
  readonly failures?: number;
}

const podOf = (owner: Job, name: string, made: Made = {}): Pod => {
  const {
    phase = 'Running',
    index,
    exit,
    ended = 1000,
    tracked = true,
    deleting = false,
    failures = 0,
  } = made;
  const base = pod(name, {
    phase,
    deleting,
    ready: phase === 'Running',
    ...(index === undefined
      ? {}
      : {
          annotations: {
            'batch.kubernetes.io/job-completion-index': String(index),
            'batch.kubernetes.io/job-index-failure-count': String(failures),
          },
        }),
  });
  return {
    ...base,
    metadata: {
      ...base.metadata,
      uid: `uid of ${name}`,
      ownerReferences: [ownedBy(owner)],
      ...(tracked ? { finalizers: [trackingFinalizer] } : {}),
    },
    status: {
      ...base.status,
      containerStatuses: [
        {
          name: 'c',
          image: '',
          imageID: '',
          ready: false,
          restartCount: 0,
          ...(phase === 'Failed' || phase === 'Succeeded'
            ? {
                state: {
                  terminated: { exitCode: exit ?? (phase === 'Failed' ? 1 : 0), finishedAt: at(-ended) },
                },
              }
            : {}),
        },
      ],
    },
  };
};

const decide = (owner: Job, pods: readonly Pod[] = [], time = now) =>
  jobController.reconcile({ job: owner, pods, isTaken: () => false }, time);

const created = (actions: readonly ClusterAction[]): readonly Pod[] =>
  actions.flatMap((action) => (action.type === 'create' ? [action.object as Pod] : []));

const statusOf = (actions: readonly ClusterAction[]): NonNullable<Job['status']> => {
  const update = actions.find((action) => action.type === 'updateStatus');
  if (update?.type !== 'updateStatus') throw new Error('expected an update of the status');
  return (update.object as Job).status ?? {};
};

const deleted = (actions: readonly ClusterAction[]): readonly string[] =>
  actions.flatMap((action) => (action.type === 'delete' ? [action.name.name] : []));

const trueConditions = ({ conditions }: NonNullable<Job['status']>): readonly string[] =>
  (conditions ?? [])
    .filter(({ status }) => status === 'True')
    .map(({ type, reason }) => `${type}: ${String(reason)}`);

describe('indexes of a Job', () => {
  it('are written as Kubernetes writes them, and read back', () => {
    expect(formatIndexes(new Set([7, 0, 3, 4, 5, 8]))).toBe('0,3-5,7,8');
    expect([...parseIndexes('0,3-5,7,8', 8)]).toEqual([0, 3, 4, 5, 7]);
    expect(parseIndexes('', 5).size).toBe(0);
    expect([...parseIndexes('2-900000000', 4)]).toEqual([2, 3]);
  });
});

describe('a Job', () => {
  it('makes as many pods at once as its parallelism, each held until it is counted', () => {
    const { actions, because } = decide(job({ completions: 5, parallelism: 3 }));
    const pods = created(actions);
    expect(new Set(pods.map(({ metadata }) => metadata.name)).size).toBe(3);
    expect(pods.every(({ metadata }) => metadata.finalizers?.includes(trackingFinalizer))).toBe(true);
    expect(statusOf(actions).startTime).toBe(at(0));
    expect(because).toBe('creates 3 pods: 0 of 5 succeeded, 0 active');
  });

  it('notes a pod that ended before it counts it, and counts it when its finalizer is gone', () => {
    const owner = job({ completions: 2 });
    const done = podOf(owner, 'a', { phase: 'Succeeded' });
    const noted = statusOf(decide(owner, [done]).actions);
    expect(noted.uncountedTerminatedPods).toEqual({ succeeded: ['uid of a'] });
    expect(noted.succeeded).toBeUndefined();
    const again = { ...owner, status: noted };
    const held = decide(again, [done]).actions.filter(({ type }) => type === 'updateStatus');
    for (const action of held) expect(statusOf([action]).succeeded).toBeUndefined();
    const counted = statusOf(
      decide(again, [podOf(owner, 'a', { phase: 'Succeeded', tracked: false })]).actions,
    );
    expect(counted).toMatchObject({ succeeded: 1, uncountedTerminatedPods: {} });
    expect(statusOf(decide(again, []).actions)).toMatchObject({ succeeded: 1 });
  });

  it('lets a pod go only when its status has taken note of it', () => {
    const owner = job();
    const done = podOf(owner, 'a', { phase: 'Succeeded' });
    const verdict = (of: Job | undefined) =>
      trackedPodController.reconcile({ pod: done, job: of }, now).actions;
    expect(verdict(owner)).toEqual([]);
    expect(verdict(job({}, { uncountedTerminatedPods: { succeeded: ['uid of a'] } }))).toHaveLength(1);
    expect(verdict(undefined)).toMatchObject([
      { type: 'patch', patch: { patch: { metadata: { finalizers: [] } } } },
    ]);
    expect(verdict(job({}, undefined, { deletionTimestamp: at(0) }))).toHaveLength(1);
  });

  it('is complete when enough pods succeeded and all are counted', () => {
    const owner = job();
    const waiting = decide(owner, [podOf(owner, 'a', { phase: 'Succeeded' })]);
    expect(trueConditions(statusOf(waiting.actions))).toEqual(['SuccessCriteriaMet: CompletionsReached']);
    const status = { ...statusOf(waiting.actions) };
    const end = decide({ ...owner, status }, [podOf(owner, 'a', { phase: 'Succeeded', tracked: false })]);
    expect(trueConditions(statusOf(end.actions))).toEqual([
      'SuccessCriteriaMet: CompletionsReached',
      'Complete: CompletionsReached',
    ]);
    expect(statusOf(end.actions)).toMatchObject({ succeeded: 1, completionTime: at(0) });
  });

  it('waits longer after each failure in a row', () => {
    const owner = job();
    const failures = [3, 2, 1].map((seconds) =>
      podOf(owner, `f${String(seconds)}`, { phase: 'Failed', ended: seconds }),
    );
    expect(decide(owner, failures.slice(2)).wakeAt).toBe(now - 1000 + 10_000);
    expect(decide(owner, failures).wakeAt).toBe(now - 1000 + 40_000);
    expect(created(decide(owner, failures, now + 39_000).actions)).toHaveLength(1);
  });

  it('fails beyond its back-off limit: first the target, then, when no pod is left, the end', () => {
    const owner = job({ backoffLimit: 0, parallelism: 2, completions: 2 });
    const pods = [podOf(owner, 'a', { phase: 'Failed' }), podOf(owner, 'b')];
    const first = decide(owner, pods);
    expect(trueConditions(statusOf(first.actions))).toEqual(['FailureTarget: BackoffLimitExceeded']);
    expect(deleted(first.actions)).toEqual(['b']);
    const last = decide({
      ...owner,
      status: { ...statusOf(first.actions), uncountedTerminatedPods: {}, failed: 2 },
    });
    expect(trueConditions(statusOf(last.actions))).toContain('Failed: BackoffLimitExceeded');
    expect(statusOf(last.actions).failed).toBe(2);
  });

  it('fails at its deadline, and wakes for it', () => {
    const owner = job({ activeDeadlineSeconds: 60 }, { startTime: at(-30) });
    expect(decide(owner, [podOf(owner, 'a')]).wakeAt).toBe(now + 30_000);
    const { actions } = decide(owner, [podOf(owner, 'a')], now + 30_000);
    expect(trueConditions(statusOf(actions))).toEqual(['FailureTarget: DeadlineExceeded']);
  });

  it('gives up its pods when it is suspended, without counting them, and starts its clock anew afterwards', () => {
    const owner = job({ suspend: true, activeDeadlineSeconds: 60 }, { startTime: at(-100) });
    const { actions } = decide(owner, [podOf(owner, 'a')]);
    expect(actions.map(({ type }) => type)).toEqual(['updateStatus', 'patch', 'delete', 'event', 'event']);
    const suspended = statusOf(actions);
    expect(trueConditions(suspended)).toEqual(['Suspended: JobSuspended']);
    const resumed = decide(job({ activeDeadlineSeconds: 60 }, suspended));
    expect(statusOf(resumed.actions).startTime).toBe(at(0));
    expect(created(resumed.actions)).toHaveLength(1);
  });

  it('makes each index once, as host name, label and variable', () => {
    const owner = job(
      { completionMode: 'Indexed', completions: 4, parallelism: 4 },
      { completedIndexes: '1' },
    );
    const pods = created(decide(owner, [podOf(owner, 'x', { index: 2 })]).actions);
    expect(pods.map(({ spec }) => spec.hostname)).toEqual(['sum-0', 'sum-3']);
    expect(pods[0]?.metadata.labels).toMatchObject({ 'batch.kubernetes.io/job-completion-index': '0' });
    expect(pods[0]?.spec.containers[0]?.env?.[0]?.name).toBe('JOB_COMPLETION_INDEX');
  });

  it('gives up the younger of two pods of one index, and pods of indexes that are done', () => {
    const owner = job(
      { completionMode: 'Indexed', completions: 4, parallelism: 4 },
      { completedIndexes: '1' },
    );
    const young = podOf(owner, 'young', { index: 0 });
    const pods = [
      { ...young, metadata: { ...young.metadata, creationTimestamp: at(-1) } },
      podOf(owner, 'old', { index: 0 }),
      podOf(owner, 'done', { index: 1 }),
    ];
    expect([...deleted(decide(owner, pods).actions)].sort()).toEqual(['done', 'young']);
  });

  it('gives each index its own limit of failures', () => {
    const spec = {
      completionMode: 'Indexed',
      completions: 2,
      parallelism: 2,
      backoffLimit: 100,
      backoffLimitPerIndex: 1,
    };
    const owner = job(spec);
    const once = decide(owner, [podOf(owner, 'a', { phase: 'Failed', index: 0 })]);
    expect(created(once.actions)[0]?.metadata.annotations).toMatchObject({
      'batch.kubernetes.io/job-index-failure-count': '1',
    });
    const twice = decide(owner, [
      podOf(owner, 'a', { phase: 'Failed', index: 0 }),
      podOf(owner, 'b', { phase: 'Failed', index: 0, failures: 1 }),
      podOf(owner, 'c', { phase: 'Succeeded', index: 1 }),
    ]);
    expect(statusOf(twice.actions)).toMatchObject({ failedIndexes: '0', completedIndexes: '1' });
    expect(trueConditions(statusOf(twice.actions))).toEqual(['FailureTarget: FailedIndexes']);
  });

  it('does what its failure policy says to an exit code', () => {
    const rule = (action: string) => ({
      podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In', values: [42] } }] },
      backoffLimit: 0,
    });
    const with42 = (action: string) => {
      const owner = job(rule(action));
      return statusOf(decide(owner, [podOf(owner, 'a', { phase: 'Failed', exit: 42 })]).actions);
    };
    expect(trueConditions(with42('FailJob'))).toEqual(['FailureTarget: PodFailurePolicy']);
    expect(with42('FailJob').conditions?.[0]?.message).toBe(
      'Container c for pod shop/a failed with exit code 42 matching FailJob rule at index 0',
    );
    expect(trueConditions(with42('Ignore'))).toEqual([]);
    expect(with42('Ignore').uncountedTerminatedPods).toEqual({});
    expect(trueConditions(with42('Count'))).toEqual(['FailureTarget: BackoffLimitExceeded']);
  });

  it('goes when its time to live after the end is over', () => {
    const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: at(-50) }];
    const owner = job({ ttlSecondsAfterFinished: 60 }, { conditions });
    expect(decide(owner).wakeAt).toBe(now + 10_000);
    expect(deleted(decide(owner, [], now + 10_000).actions)).toEqual(['sum']);
  });
});

describe.each(seeds([1, 2, 3, 4]))('counting under crashes and late news (seed %i)', (seed) => {
  it('counts each pod exactly once, whatever is lost between two writes', () => {
    const random = createRandom(seed);
    for (let round = 0; round < 40; round += 1) {
      const completions = 1 + random.integer(6);
      let owner = job({ completions, parallelism: 1 + random.integer(4), backoffLimit: 1000 });
      const world = new Map<string, Pod>();
      const endings = { succeeded: 0, failed: 0 };
      let clock = now;
      let number = 0;
      for (
        let step = 0;
        !trueConditions(owner.status ?? {}).some((text) => text.startsWith('Complete'));
        step += 1
      ) {
        expect(step, `seed ${String(seed)}`).toBeLessThan(3000);
        clock += 5000;
        const { actions } = jobController.reconcile(
          { job: owner, pods: [...world.values()], isTaken: (name) => world.has(name) },
          clock,
        );
        // A crash ends the turn between any two writes.
        const carried = random.chance(0.3) ? actions.slice(0, random.integer(actions.length + 1)) : actions;
        for (const action of carried) {
          if (action.type === 'updateStatus') owner = action.object as Job;
          if (action.type === 'create') {
            const name = `${String(action.object.metadata.name)}-${String((number += 1))}`;
            world.set(name, podOf(owner, name));
          }
          if (action.type === 'delete') world.delete(action.name.name);
        }
        for (const [name, one] of world) {
          if (one.status?.phase === 'Running' && random.chance(0.3)) {
            const phase = random.chance(0.3) ? 'Failed' : 'Succeeded';
            endings[phase === 'Failed' ? 'failed' : 'succeeded'] += 1;
            world.set(name, podOf(owner, name, { phase, ended: (now - clock) / 1000 }));
          } else if (random.chance(0.3)) {
            const { actions: letGo } = trackedPodController.reconcile({ pod: one, job: owner }, clock);
            const tracked = one.metadata.finalizers !== undefined;
            if (!tracked && random.chance(0.3)) world.delete(name);
            if (tracked && letGo.length > 0) {
              const rest = { ...one.metadata };
              delete (rest as { finalizers?: unknown }).finalizers;
              world.set(name, { ...one, metadata: rest });
            }
          }
        }
      }
      expect(owner.status?.succeeded).toBe(endings.succeeded);
      expect(owner.status?.failed ?? 0).toBe(endings.failed);
      expect(endings.succeeded).toBe(completions);
    }
  });
});
