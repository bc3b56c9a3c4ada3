import { describe, expect, it } from 'vitest';
import { explain } from '../../../src/cli/why/explain.js';
import type { Evidence } from '../../../src/cli/why/evidence.js';
import type { Deployment, Event, Node, Pod, ReplicaSet } from '../../../src/resources/generated/types.js';
import type { ObjectMeta } from '../../../src/resources/resource.js';

const meta = (name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  namespace: 'shop',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});
const pod = (status: Pod['status'], spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta('web-1'),
  spec: { containers: [{ name: 'main' }], ...spec },
  status,
});
const ask = (object: Evidence['object'], more: Partial<Evidence> = {}): readonly string[] =>
  explain({ object, owners: [], events: [], decisions: [], pods: [], ...more });

describe('why', () => {
  it('says why a pod fits nowhere', () => {
    const message = '0/2 nodes are available: 2 Insufficient cpu.';
    const [answer] = ask(
      pod({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
      }),
    );
    expect(answer).toBe(`Pod shop/web-1 is Pending: PodScheduled is false: ${message} (Unschedulable)`);
  });

  it('says how the container of a crashing pod ended, before it says that it waits', () => {
    const lines = ask(
      pod(
        {
          phase: 'Running',
          containerStatuses: [
            {
              name: 'main',
              image: 'x',
              imageID: 'x',
              ready: false,
              restartCount: 4,
              state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
              lastState: { terminated: { exitCode: 3, reason: 'Error' } },
            },
          ],
        },
        { nodeName: 'h1' },
      ),
    );
    expect(lines[0]).toBe(
      'Pod shop/web-1 runs on node h1 and is not ready: container main waits: CrashLoopBackOff (back-off 40s)',
    );
    expect(lines[1]).toContain('restarted 4 time(s); before, it ended with exit code 3 (Error)');
  });

  it('names the owners and the application in Git', () => {
    const owner = (kind: string, name: string, labels = {}): Deployment =>
      ({ apiVersion: 'apps/v1', kind, metadata: meta(name, { labels }), spec: {} }) as unknown as Deployment;
    const lines = ask(pod({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }), {
      owners: [
        owner('ReplicaSet', 'web-abc'),
        owner('Deployment', 'web', { 'capstan.dev/application': 'shop' }),
      ],
    });
    expect(lines).toEqual([
      'Pod shop/web-1 runs and is ready.',
      '  it belongs to ReplicaSet web-abc, which belongs to Deployment web',
      '  Deployment web comes from Git, application shop',
    ]);
  });

  it('counts the pods of a deployment and names those in trouble', () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta('web'),
      spec: { replicas: 2 },
      status: { replicas: 2, updatedReplicas: 1, availableReplicas: 1 },
    } as unknown as Deployment;
    const lines = ask(deployment, { pods: [pod({ phase: 'Pending', message: 'disk full' })] });
    expect(lines[0]).toBe(
      'Deployment shop/web wants 2 pods, has 2 (1 of the newest template), 1 available: pod web-1 is Pending; disk full',
    );
  });

  it('says what keeps a ReplicaSet from its pods', () => {
    const replicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: meta('web-abc'),
      spec: { replicas: 3 },
      status: {
        replicas: 0,
        conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'quota exceeded' }],
      },
    } as unknown as ReplicaSet;
    expect(ask(replicaSet)[0]).toBe(
      'ReplicaSet shop/web-abc wants 3 pods, has 0, 0 ready: ReplicaFailure is true: quota exceeded',
    );
  });

  it('says that a node is silent and what that does', () => {
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { ...meta('h2'), namespace: undefined },
      spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] },
      status: { conditions: [{ type: 'Ready', status: 'Unknown', message: 'no heartbeat for 7 s' }] },
    } as unknown as Node;
    expect(ask(node)).toEqual([
      'Node h2 is silent and runs 0 pods: Ready is unknown: no heartbeat for 7 s',
      '  it carries the taint node.kubernetes.io/unreachable:NoExecute',
    ]);
  });

  it('shows decisions with their failures, and the last ten events with their counts', () => {
    const event = (index: number): Event =>
      ({
        metadata: meta(`e${index}`),
        reason: `R${index}`,
        message: 'm',
        count: index,
        lastTimestamp: 'T',
      }) as unknown as Event;
    const lines = ask(pod({ phase: 'Running' }), {
      decisions: [{ controller: 'replicaset', at: 'T1', because: 'one too many', error: 'conflict' }],
      events: Array.from({ length: 12 }, (_, index) => event(index)),
    });
    expect(lines).toContain('  T1 replicaset: one too many — failed: conflict');
    expect(lines.filter((line) => line.startsWith('  T R'))).toHaveLength(10);
    expect(lines.at(-1)).toBe('  T R11: m (11 times)');
  });
});

describe('why a node', () => {
  it('shows what it gives, what is requested and used, and what would fit', () => {
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: meta('n1'),
      spec: {},
      status: {
        allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    } as Node;
    const requests = { cpu: '500m', memory: '1Gi' };
    const running = pod(
      { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      {
        containers: [{ name: 'main', resources: { requests } }],
      },
    );
    const lines = ask(node, { pods: [running, running], used: { cpu: 200, memory: 1024 ** 3 } }).join('\n');
    expect(lines).toContain('cpu: 4 allocatable, 1 requested (25 %), 200m used (5 %), 3 free');
    expect(lines).toContain(
      'memory: 8.0Gi allocatable, 2.0Gi requested (25 %), 1.0Gi used (13 %), 6.0Gi free',
    );
    expect(lines).toContain('pods: 110 allocatable, 2 requested (2 %), 108 free');
    expect(lines).toContain('6 more pods of the middle size here (500m cpu, 1.0Gi memory) would fit');
  });
});
