// Objects as the API server would hold them, for tests of decisions.
import type { Deployment, Node, Pod, ReplicaSet } from '../../../src/resources/generated/types.js';
import { ownedBy } from '../../../src/resources/resource.js';

export const now = Date.UTC(2026, 0, 1, 12);
export const at = (seconds: number): string =>
  new Date(now + seconds * 1000).toISOString().replace('.000Z', 'Z');

let uids = 0;
const uid = (): string => `uid-${String((uids += 1))}`;

const meta = (name: string, extra: object = {}) => ({
  name,
  namespace: 'shop',
  uid: uid(),
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: at(-3600),
  ...extra,
});

export const deployment = (spec: object = {}, metadata: object = {}, status?: object): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta('web', metadata),
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'web:2' }] },
    },
    ...spec,
  },
  ...(status === undefined ? {} : { status }),
});

export interface SetOptions {
  readonly image?: string;
  readonly replicas?: number;
  readonly available?: number;
  readonly pods?: number;
  readonly revision?: number;
  readonly desired?: number;
  readonly max?: number;
  readonly age?: number;
  readonly metadata?: object;
}

export const replicaSet = (owner: Deployment, name: string, options: SetOptions = {}): ReplicaSet => {
  const {
    image = 'web:1',
    replicas = 0,
    available = replicas,
    pods = replicas,
    revision = 1,
    age = 60,
  } = options;
  const { desired = owner.spec.replicas ?? 1, max = (owner.spec.replicas ?? 1) + 1, metadata = {} } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: meta(name, {
      labels: { app: 'web', 'pod-template-hash': name },
      annotations: {
        'deployment.kubernetes.io/revision': String(revision),
        'deployment.kubernetes.io/desired-replicas': String(desired),
        'deployment.kubernetes.io/max-replicas': String(max),
      },
      creationTimestamp: at(-age),
      ownerReferences: [ownedBy(owner)],
      ...metadata,
    }),
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web', 'pod-template-hash': name } },
      template: {
        metadata: { labels: { app: 'web', 'pod-template-hash': name } },
        spec: { containers: [{ name: 'web', image }] },
      },
    },
    status: {
      replicas: pods,
      readyReplicas: available,
      availableReplicas: available,
      observedGeneration: 1,
    },
  };
};

export interface PodOptions {
  readonly owner?: ReplicaSet;
  readonly node?: string | undefined;
  readonly ready?: boolean;
  readonly readySince?: number;
  readonly phase?: string;
  readonly restarts?: number;
  readonly age?: number;
  readonly ip?: string;
  readonly deleting?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

export const pod = (name: string, options: PodOptions = {}): Pod => {
  const {
    owner,
    node = 'n1',
    ready = true,
    readySince = 60,
    phase = 'Running',
    restarts = 0,
    age = 120,
  } = options;
  const { ip, deleting = false, labels, annotations, spec = {} } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, {
      creationTimestamp: at(-age),
      labels: labels ?? owner?.spec.template?.metadata?.labels ?? { app: 'web' },
      ...(annotations === undefined ? {} : { annotations }),
      ...(owner === undefined ? {} : { ownerReferences: [ownedBy(owner)] }),
      ...(deleting ? { deletionTimestamp: at(30), deletionGracePeriodSeconds: 30 } : {}),
    }),
    spec: {
      containers: [{ name: 'web', image: 'web:1' }],
      ...(node === '' ? {} : { nodeName: node }),
      ...spec,
    },
    status: {
      phase,
      ...(ip === undefined ? {} : { podIP: ip }),
      containerStatuses: [{ name: 'web', image: 'web:1', imageID: '', ready, restartCount: restarts }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: at(-readySince) }],
    },
  };
};

export const node = (
  name: string,
  spec: object = {},
  options: { ready?: string; allocatable?: object; labels?: object } = {},
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { ...meta(name, { labels: options.labels ?? {} }), namespace: undefined },
  spec,
  status: {
    allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...options.allocatable },
    conditions: [{ type: 'Ready', status: options.ready ?? 'True', lastTransitionTime: at(-600) }],
  },
});
