import { conditionOf } from '../../resources/conditions.js';
import type { Job } from '../../resources/generated/types.js';
import { jobs } from '../../resources/kinds/jobs.js';
import { healthy, progressing, type HealthRule } from './health.js';

export const jobHealth: HealthRule<Job> = {
  kind: jobs,
  judge: ({ spec, status }) => {
    const failed = conditionOf(status?.conditions, 'Failed');
    if (failed?.status === 'True')
      return {
        status: 'Degraded',
        message: `${failed.reason ?? 'Failed'}: ${failed.message ?? ''}`,
        failed: true,
      };
    if (conditionOf(status?.conditions, 'Complete')?.status === 'True') return healthy;
    if (spec.suspend === true) return { ...healthy, message: 'is suspended' };
    return progressing(
      `${String(status?.succeeded ?? 0)} of ${String(spec.completions ?? 1)} pods succeeded`,
    );
  },
};
