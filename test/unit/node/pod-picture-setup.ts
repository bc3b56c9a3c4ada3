// Pods, containers and what an agent observes of them, for tests of decisions.
import type { Instant } from '../../../src/base/clock.js';
import { label } from '../../../src/node/labels.js';
import { emptyMemory } from '../../../src/node/pod-memory.js';
import type { PodMemory } from '../../../src/node/pod-memory.js';
import { specHashOf } from '../../../src/node/pod-picture.js';
import type { PodObserved } from '../../../src/node/pod-picture.js';
import type { References } from '../../../src/node/pod-source.js';
import { nextStep } from '../../../src/node/pod-steps/next-step.js';
import type { Container } from '../../../src/node/runtime.js';
import type { ConfigMap, Pod, PodSpec, Secret } from '../../../src/resources/generated/types.js';
import type { ObjectMeta } from '../../../src/resources/resource.js';

export const now: Instant = Date.UTC(2026, 0, 1, 12);

export const pod = (spec: Partial<PodSpec> = {}, metadata: Partial<ObjectMeta> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    uid: 'uid-1',
    resourceVersion: '5',
    creationTimestamp: '2026-01-01T11:00:00Z',
    ...metadata,
  },
  spec: { containers: [{ name: 'web', image: 'web:1' }], ...spec },
});

export const sandbox = (more: Partial<Container> = {}): Container => ({
  id: 'sandbox-0',
  name: 'sandbox',
  image: 'pause',
  imageId: 'sha256:1',
  labels: {
    [label.kind]: 'sandbox',
    [label.podUid]: 'uid-1',
    [label.attempt]: '0',
    [label.address]: '10.244.0.2',
  },
  state: 'running',
  createdAt: now - 60_000,
  startedAt: now - 60_000,
  ...more,
});

export const app = (
  name: string,
  more: Partial<Container> = {},
  labels: Record<string, string> = {},
): Container => ({
  id: `${name}-0`,
  name,
  image: 'web:1',
  imageId: 'sha256:2',
  labels: {
    [label.kind]: 'container',
    [label.podUid]: 'uid-1',
    [label.container]: name,
    [label.attempt]: '0',
    [label.crashes]: '0',
    [label.specHash]: specHashOf({ name, image: 'web:1' }),
    [label.sandbox]: 'sandbox-0',
    ...labels,
  },
  state: 'running',
  createdAt: now - 50_000,
  startedAt: now - 50_000,
  ...more,
});

export const ended = (
  name: string,
  exitCode: number,
  more: Partial<Container> = {},
  labels: Record<string, string> = {},
): Container => app(name, { state: 'exited', exitCode, finishedAt: now - 1000, ...more }, labels);

export const references = (
  objects: {
    configMaps?: Record<string, ConfigMap['data']>;
    secrets?: Record<string, Secret['data']>;
    unknown?: boolean;
  } = {},
): References => {
  const find = <T>(kind: string, maps: Record<string, unknown> | undefined, name: string) => {
    if (objects.unknown === true) return { state: 'unknown' } as const;
    const data = maps?.[name];
    if (data === undefined) return { state: 'absent' } as const;
    const metadata = {
      name,
      namespace: 'shop',
      uid: `${kind}-${name}`,
      resourceVersion: '1',
      creationTimestamp: '',
    };
    return { state: 'present', object: { apiVersion: 'v1', kind, metadata, data } as T } as const;
  };
  return {
    configMap: (_namespace, name) => find<ConfigMap>('ConfigMap', objects.configMaps, name),
    secret: (_namespace, name) => find<Secret>('Secret', objects.secrets, name),
    claim: () => ({ state: 'absent' }),
    volume: () => ({ state: 'absent' }),
  };
};

/** Volumes are set up, nothing else is remembered. */
export const prepared: PodMemory = { ...emptyMemory(now), volumes: { version: 'none', paths: {} } };

export const observed = (more: Partial<PodObserved> = {}): PodObserved => ({
  pod: pod(),
  containers: [],
  memory: prepared,
  inFlight: new Set(),
  references: references(),
  environment: () => ({ type: 'value', value: {} }),
  node: { hostIP: '192.0.2.1', networkReady: true },
  ...more,
});

/** The step in short: `startContainer web`, and its reason. */
export const step = (more: Partial<PodObserved> = {}, at = now) => {
  const next = nextStep(observed(more), at);
  const subject = (action: (typeof next.actions)[number]): string => {
    if (action.type === 'startContainer' || action.type === 'probe' || action.type === 'readLastWords')
      return ` ${action.container.name}`;
    if ('id' in action) return ` ${action.id}`;
    return action.type === 'cancel' ? ` ${action.cancels}` : '';
  };
  return {
    ...next,
    does: next.actions
      .map((action) => `${action.type}${subject(action)}`)
      .filter((text) => !text.startsWith('readLastWords')),
  };
};
