// Evidence -> sentences. Pure.
import type { Deployment, Event, Node, Pod, ReplicaSet, Rollout } from '../../resources/generated/types.js';
import { displayName, nameOf, type Resource } from '../../resources/resource.js';
import type { Evidence, Explanation } from './evidence.js';
import { nodeRoom } from './node.js';
import { podReasons, podState } from './pod.js';
import { explainService } from './service.js';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

const conditionReasons = (conditions: readonly Condition[] | undefined): string[] =>
  (conditions ?? [])
    .filter(({ message }) => message !== undefined && message !== '')
    .map(({ type, status, message }) => `${type} is ${status.toLowerCase()}: ${message ?? ''}`);

const troubledPods = (pods: readonly Pod[]): string[] =>
  pods
    .filter((pod) => pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True')
    .slice(0, 5)
    .map((pod) => {
      const [first] = podReasons(pod);
      return `pod ${pod.metadata.name} ${podState(pod)}${first === undefined ? '' : `; ${first}`}`;
    });

const explainers: Readonly<Record<string, (evidence: Evidence) => Explanation>> = {
  Service: explainService,
  Pod: ({ object }) => ({ state: podState(object as Pod), because: podReasons(object as Pod) }),
  Deployment: ({ object, pods }) => {
    const { spec, status } = object as Deployment;
    return {
      state: `wants ${spec.replicas ?? 1} pods, has ${status?.replicas ?? 0} (${status?.updatedReplicas ?? 0} of the newest template), ${status?.availableReplicas ?? 0} available`,
      because: [...conditionReasons(status?.conditions), ...troubledPods(pods)],
    };
  },
  Rollout: ({ object, pods }) => {
    const { status } = object as Rollout;
    const { phase = 'new', because = '', message = '', canary } = status ?? {};
    const weight = canary?.weights?.canary?.weight;
    const traffic = weight === undefined ? '' : `, the new version has weight ${weight}`;
    return {
      state: `is ${phase} with ${status?.updatedReplicas ?? 0} pods of the newest template among ${status?.replicas ?? 0}${traffic}`,
      because: [because, message].filter((text) => text !== '').concat(troubledPods(pods)),
    };
  },
  ReplicaSet: ({ object, pods }) => {
    const { spec, status } = object as ReplicaSet;
    return {
      state: `wants ${spec.replicas ?? 1} pods, has ${status?.replicas ?? 0}, ${status?.readyReplicas ?? 0} ready`,
      because: [...conditionReasons(status?.conditions), ...troubledPods(pods)],
    };
  },
  Node: ({ object, pods, used }) => {
    const { spec, status } = object as Node;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    const taints = (spec.taints ?? []).map(({ key, effect }) => `it carries the taint ${key}:${effect}`);
    return {
      state: `is ${ready === 'True' ? 'ready' : ready === 'False' ? 'not ready' : 'silent'} and runs ${pods.length} pods`,
      because: [
        ...conditionReasons(status?.conditions),
        ...(spec.unschedulable === true ? ['it is cordoned: nothing new is scheduled there'] : []),
        ...taints,
        ...nodeRoom(object as Node, pods, used),
        ...troubledPods(pods),
      ],
    };
  },
};

const generic = ({ object }: Evidence): Explanation => {
  const { status } = object as Resource & {
    readonly status?: {
      readonly phase?: string;
      readonly message?: string;
      readonly conditions?: readonly Condition[];
    };
  };
  return {
    state:
      status?.phase === undefined
        ? `exists since ${object.metadata.creationTimestamp}`
        : `is ${status.phase}`,
    because: [...(status?.message ? [status.message] : []), ...conditionReasons(status?.conditions)],
  };
};

const ownership = ({ object, owners }: Evidence): string[] => {
  const chain = owners.map((owner) => `${owner.kind} ${owner.metadata.name}`).join(', which belongs to ');
  const top = owners.at(-1) ?? object;
  const application = top.metadata.labels?.['capstan.dev/application'];
  return [
    ...(chain === '' ? [] : [`it belongs to ${chain}`]),
    ...(application === undefined
      ? []
      : [
          `${owners.length === 0 ? 'it' : `${top.kind} ${top.metadata.name}`} comes from Git, application ${application}`,
        ]),
  ];
};

const eventLine = (event: Event): string => {
  const count = (event.count ?? 1) > 1 ? ` (${event.count ?? 1} times)` : '';
  return `${event.lastTimestamp ?? event.metadata.creationTimestamp} ${event.reason ?? ''}: ${event.message ?? ''}${count}`;
};

/** Lines for people; the first is the answer in one sentence. */
export const explain = (evidence: Evidence): readonly string[] => {
  const { object, events, decisions } = evidence;
  const { state, because } = (explainers[object.kind] ?? generic)(evidence);
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  return [
    `${object.kind} ${displayName(nameOf(object))} ${state}${because[0] === undefined ? '.' : `: ${because[0]}`}`,
    ...because.slice(1).map((line) => `  ${line}`),
    ...ownership(evidence).map((line) => `  ${line}`),
    ...section(
      'Decisions:',
      decisions.map(
        ({ controller, at, because: reason, error }) =>
          `${at} ${controller}: ${reason}${error === undefined ? '' : ` — failed: ${error}`}`,
      ),
    ),
    ...section('Events:', events.slice(-10).map(eventLine)),
  ];
};
