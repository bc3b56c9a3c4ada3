// Volumes: set up before anything starts, and again whenever an object that they show has changed.
import { backOffMs } from '../back-off.js';
import { planVolumes, volumesVersion } from '../volume-plan.js';
import type { Part, StepPart } from './part.js';

export const volumesPart: StepPart = ({ pod, observed, now }): Part => {
  const { memory, references, inFlight } = observed;
  const version = volumesVersion({ pod, references });
  const { version: done, failure } = memory.volumes;
  if (done === version) return { actions: [] };
  if (inFlight.has('volumes')) return { actions: [], because: 'volumes are being set up' };
  const plan = planVolumes({ pod, references, place: { podIP: undefined, hostIP: '', allocatable: {} } });
  if (plan.type === 'unknown') return { actions: [], because: 'waiting for config maps and secrets' };
  // What runs already keeps the files that it has.
  if (plan.type === 'missing')
    return done === undefined
      ? {
          actions: [],
          because: plan.message,
          announcements: [
            { id: `mount ${plan.message}`, type: 'Warning', reason: 'FailedMount', message: plan.message },
          ],
        }
      : { actions: [] };
  if (failure?.version === version) {
    const wakeAt = failure.at + backOffMs(failure.failures) / 10;
    if (now < wakeAt)
      return {
        actions: [],
        because: failure.message,
        wakeAt,
        announcements: [
          {
            id: `mount ${failure.message}`,
            type: 'Warning',
            reason: 'FailedMount',
            message: failure.message,
          },
        ],
      };
  }
  return {
    actions: [{ type: 'prepareVolumes', operation: 'volumes', version }],
    because: done === undefined ? 'volumes are set up' : 'what the volumes show has changed',
  };
};
