// Pods: containers that share a network and volumes on one node.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, orNone, text, wide } from '../columns.js';
import { isConditionTrue } from '../conditions.js';
import { withDefaults } from '../defaults.js';
import type { Pod } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { qosClassOf } from '../pod-resources.js';
import { formatRestarts, podSummary } from '../pod-summary.js';
import { defaultedPodOnly } from '../pod-template/default-pod-spec.js';
import { ephemeralErrors } from '../pod-template/validate-ephemeral.js';
import { podSpecErrors } from '../pod-template/validate-pod-spec.js';
import { podUpdateErrors } from '../pod-template/validate-pod-update.js';
import { nameErrors } from '../validation/metadata.js';

const readinessGates = (pod: Pod): string => {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const open = gates.filter(({ conditionType }) => isConditionTrue(pod.status?.conditions, conditionType));
  return `${String(open.length)}/${String(gates.length)}`;
};

const columns: readonly Column<Pod>[] = [
  nameColumn,
  text('Ready', 'The aggregate readiness state of this pod for accepting traffic.', (pod) => {
    const { ready, total } = podSummary(pod);
    return `${String(ready)}/${String(total)}`;
  }),
  text('Status', 'The aggregate status of the containers in this pod.', (pod) => podSummary(pod).status),
  text(
    'Restarts',
    'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    (pod, now) => formatRestarts(podSummary(pod), now),
  ),
  ageColumn,
  wide('IP', 'IP address allocated to the pod.', ({ status }) =>
    orNone(status?.podIPs?.[0]?.ip ?? status?.podIP),
  ),
  wide('Node', 'The node that the pod runs on.', ({ spec }) => orNone(spec.nodeName)),
  wide('Nominated Node', 'The node that the pod is to run on when room has been made.', ({ status }) =>
    orNone(status?.nominatedNodeName),
  ),
  wide(
    'Readiness Gates',
    'Conditions beside those of the containers that make the pod ready.',
    readinessGates,
  ),
];

/** A new pod that is gated says so from its first moment on. Follows `applySchedulingGatedCondition`. */
const gated = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
};

const defaulted = (pod: Pod): Pod => {
  const spec = defaultedPodOnly(pod.spec);
  const status = withDefaults<NonNullable<Pod['status']>>(pod.status ?? {}, {
    phase: 'Pending',
    qosClass: qosClassOf(spec),
    ...((spec.schedulingGates ?? []).length === 0 ? {} : { conditions: [gated] }),
  });
  return spec === pod.spec && status === pod.status ? pod : { ...pod, spec, status };
};

const validate = (pod: Pod, old: Pod | undefined): readonly FieldError[] => {
  if (old === undefined)
    return [
      ...nameErrors(pod.metadata),
      ...podSpecErrors('spec', pod.spec),
      ...ephemeralErrors(pod.spec, undefined),
    ];
  // What was accepted once is not judged again: the kubelet's status reports come by often.
  if (equal(pod.spec, old.spec)) return [];
  const errors = [...podUpdateErrors(pod.spec, old.spec), ...ephemeralErrors(pod.spec, old.spec)];
  return errors.length > 0 ? errors : podSpecErrors('spec', pod.spec);
};

export const pods = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Pod',
  subresources: [
    'status',
    'log',
    'exec',
    'attach',
    'portforward',
    'proxy',
    'binding',
    'eviction',
    'ephemeralcontainers',
  ],
  generationFields: [],
  columns,
  defaulted,
  validate,
  selectableFields: ({ spec, status }) => ({
    'spec.nodeName': spec.nodeName ?? '',
    'spec.restartPolicy': spec.restartPolicy ?? '',
    'spec.schedulerName': spec.schedulerName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec.hostNetwork ?? false),
    'status.phase': status?.phase ?? '',
    'status.podIP': status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.nominatedNodeName': status?.nominatedNodeName ?? '',
  }),
});
