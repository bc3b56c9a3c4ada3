// Job: a measurement that is a Job's success or failure.
import type { View } from '../../../client/view.js';
import type { ClusterAction } from '../../../reconcile/cluster-action.js';
import { shortHash } from '../../../reconcile/hash.js';
import { conditionOf } from '../../../resources/conditions.js';
import type { AnalysisJob, AnalysisRun, Job } from '../../../resources/generated/types.js';
import { jobs } from '../../../resources/kinds/jobs.js';
import { ownedBy } from '../../../resources/resource.js';
import type { Verdict } from '../judge.js';

/** Of the measurement with that number: the same however often it is asked for. */
export const jobName = ({ metadata: { name, uid } }: AnalysisRun, metric: string, number: number): string => {
  const suffix = shortHash(8, uid, metric, number);
  return `${name.slice(0, 62 - suffix.length)}-${suffix}`;
};

export const jobCreation = (run: AnalysisRun, provider: AnalysisJob, name: string): ClusterAction => ({
  type: 'create',
  kind: jobs,
  object: {
    metadata: {
      name,
      namespace: run.metadata.namespace,
      labels: { ...provider.metadata?.labels, 'analysisrun.argoproj.io/name': run.metadata.name },
      annotations: { ...provider.metadata?.annotations },
      ownerReferences: [ownedBy(run)],
    },
    spec: provider.spec,
  } as Extract<ClusterAction, { type: 'create' }>['object'],
});

/** Undefined while it runs. */
export const jobVerdict = (job: Job | undefined): Verdict | undefined => {
  if (job === undefined) return { phase: 'Error', message: 'the Job is gone' };
  const { conditions } = job.status ?? {};
  if (conditionOf(conditions, 'Complete')?.status === 'True') return { phase: 'Successful', message: '' };
  const failed = conditionOf(conditions, 'Failed');
  return failed?.status === 'True' ? { phase: 'Failed', message: failed.message ?? '' } : undefined;
};

export const jobNamed = (view: View, namespace: string | undefined, name: string): Job | undefined =>
  view.get(jobs, { name, namespace });
