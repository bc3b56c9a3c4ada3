// Turns the name of a pod's priority class into its number, and keeps one class at most as the default of all.
import type { Pod, PriorityClass } from '../../resources/generated/types.js';
import { priorityclasses, systemPriorityClasses } from '../../resources/kinds/priorityclasses.js';
import { pods } from '../../resources/kinds/pods.js';
import { forbidden } from '../verbs/rejections.js';
import type { Admission, AdmissionReads, AdmissionRequest } from './admission.js';
import { newPod } from './pod-defaults.js';

interface Effect {
  readonly priorityClassName?: string | undefined;
  readonly priority: number;
  readonly preemptionPolicy: string;
}

const defaultPolicy = 'PreemptLowerPriority';

const effectOf = ({ metadata, value, preemptionPolicy = defaultPolicy }: PriorityClass): Effect => ({
  priorityClassName: metadata.name,
  priority: value,
  preemptionPolicy,
});

/** Of several defaults the least counts, as in Kubernetes. */
const defaultClass = (reads: AdmissionReads): PriorityClass | undefined => {
  let least: PriorityClass | undefined;
  for (const candidate of reads.list(priorityclasses, undefined))
    if (candidate.globalDefault === true && (least === undefined || candidate.value < least.value))
      least = candidate;
  return least;
};

const effectFor = (pod: Pod, reads: AdmissionReads): Effect => {
  const { priorityClassName = '' } = pod.spec;
  if (priorityClassName === '') {
    const found = defaultClass(reads);
    return found === undefined ? { priority: 0, preemptionPolicy: defaultPolicy } : effectOf(found);
  }
  const found = reads.get(priorityclasses, { name: priorityClassName });
  if (found !== undefined) return effectOf(found);
  const known = systemPriorityClasses[priorityClassName];
  if (known !== undefined) return { priorityClassName, priority: known, preemptionPolicy: defaultPolicy };
  throw forbidden(pods, pod.metadata.name, `no PriorityClass with name ${priorityClassName} was found`);
};

const withPriority = (pod: Pod, reads: AdmissionReads): Pod => {
  const { priorityClassName, priority, preemptionPolicy } = effectFor(pod, reads);
  const { spec } = pod;
  if (spec.priority !== undefined && spec.priority !== priority)
    throw forbidden(
      pods,
      pod.metadata.name,
      `the integer value of priority (${String(spec.priority)}) must not be provided in pod spec; priority admission controller computed ${String(priority)} from the given PriorityClass name`,
    );
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
    throw forbidden(
      pods,
      pod.metadata.name,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  return {
    ...pod,
    spec: {
      ...spec,
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
      priority,
      preemptionPolicy,
    },
  };
};

const checkOnlyDefault = (request: AdmissionRequest): void => {
  if (request.operation === 'delete') return;
  const { globalDefault } = request.object as unknown as PriorityClass;
  if (globalDefault !== true) return;
  const other = defaultClass(request.reads);
  if (other === undefined || other.metadata.name === request.name) return;
  throw forbidden(
    priorityclasses,
    request.name,
    `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
  );
};

export const podPriority: Admission = {
  name: 'Priority',
  admit: (request) => {
    if (request.kind.group === priorityclasses.group && request.kind.plural === priorityclasses.plural) {
      checkOnlyDefault(request);
      return undefined;
    }
    const pod = newPod(request);
    return pod === undefined ? undefined : { object: withPriority(pod, request.reads) };
  },
};
