// Nodes and pods for tests of placement.
import type { Node, Pod } from '../../../src/resources/generated/types.js';
import type { VolumeFacts } from '../../../src/scheduler/couplings/coupling.js';

export const noVolumes: VolumeFacts = {
  claim: () => undefined,
  volume: () => undefined,
  volumes: () => [],
  storageClass: () => undefined,
};

export interface NodeOptions {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly images?: readonly { readonly names: readonly string[]; readonly sizeBytes: number }[];
}

export const node = (name: string, options: NodeOptions = {}): Node => {
  const { cpu = '4', memory = '8Gi', pods = '110', labels = {}, spec = {}, images } = options;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', labels },
    spec,
    status: { allocatable: { cpu, memory, pods }, ...(images === undefined ? {} : { images }) },
  };
};

export interface PodOptions {
  readonly cpu?: string;
  readonly memory?: string;
  readonly owner?: string;
  readonly app?: string;
  readonly hostPort?: number;
  readonly spec?: object;
}

export const pod = (name: string, options: PodOptions = {}): Pod => {
  const { cpu, memory, owner, app, hostPort, spec = {} } = options;
  const requests = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(app === undefined ? {} : { labels: { app } }),
      ...(owner === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true },
            ],
          }),
    },
    spec: {
      containers: [
        {
          name: 'c',
          image: 'i',
          resources: { requests },
          ...(hostPort === undefined ? {} : { ports: [{ containerPort: 80, hostPort }] }),
        },
      ],
      ...spec,
    },
  };
};
