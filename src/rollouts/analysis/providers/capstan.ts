// What the cluster itself knows of a version's pods: no server to ask, so none that can be down.
import type { Pod } from '../../../resources/generated/types.js';
import { isPodReady } from '../../../resources/pod-status.js';
import { isDeleting } from '../../../resources/resource.js';
import type { Measured } from '../metric-source.js';

/** `result.restarts == 0 && result.ready == result.pods` and the like. */
export const capstanValue = (selected: readonly Pod[]): Measured => {
  const present = selected.filter((pod) => !isDeleting(pod));
  const statuses = present.flatMap(({ status }) => [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]);
  const ready = present.filter(isPodReady).length;
  const value = {
    pods: present.length,
    ready,
    notReady: present.length - ready,
    restarts: statuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    /** Containers that wait to be started again, or whose image is not to be had. */
    stuck: statuses.filter(({ state }) => /BackOff|ErrImage/.test(state?.waiting?.reason ?? '')).length,
    failed: present.filter(({ status }) => status?.phase === 'Failed').length,
  };
  return { value, text: JSON.stringify(value) };
};
