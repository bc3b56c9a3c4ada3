import { describe, expect, it } from 'vitest';
import { disruptionController } from '../../../src/controllers/disruption/disruption.js';
import type { PodDisruptionBudget } from '../../../src/resources/generated/types.js';
import { at, now, pod } from './objects.js';

const budget = (spec: object, disruptedPods?: Readonly<Record<string, string>>): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'b',
    resourceVersion: '1',
    generation: 2,
    creationTimestamp: at(-60),
  },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  ...(disruptedPods === undefined
    ? {}
    : {
        status: {
          currentHealthy: 0,
          desiredHealthy: 0,
          disruptionsAllowed: 0,
          expectedPods: 0,
          disruptedPods,
        },
      }),
});

const three = [pod('a'), pod('b'), pod('c', { ready: false })];

const statusOf = (of: PodDisruptionBudget, scale: number | undefined, pods = three) => {
  const [action] = disruptionController.reconcile({ budget: of, pods, scale }, now).actions;
  if (action?.type !== 'updateStatus') throw new Error('expected an update of the status');
  return (action.object as PodDisruptionBudget).status;
};

describe('a disruption budget', () => {
  it.each([
    [{ minAvailable: 1 }, undefined, 1, 1],
    [{ minAvailable: 2 }, undefined, 2, 0],
    [{ minAvailable: '50%' }, 4, 2, 0],
    [{ maxUnavailable: 1 }, 3, 2, 0],
    [{ maxUnavailable: '50%' }, 3, 1, 1],
  ])(
    '%j with a scale of %s needs %i pods and lets %i go',
    (spec, scale, desiredHealthy, disruptionsAllowed) => {
      expect(statusOf(budget(spec), scale)).toMatchObject({
        currentHealthy: 2,
        desiredHealthy,
        disruptionsAllowed,
        observedGeneration: 2,
      });
    },
  );

  it('does not count a pod that was evicted and is not seen to go yet, for two minutes', () => {
    expect(statusOf(budget({ minAvailable: 1 }, { a: at(-60) }), 3)).toMatchObject({
      currentHealthy: 1,
      disruptionsAllowed: 0,
    });
    expect(statusOf(budget({ minAvailable: 1 }, { a: at(-121) }), 3)).toMatchObject({ currentHealthy: 2 });
  });

  it('allows nothing when nobody says how many pods there should be', () => {
    const status = statusOf(budget({ maxUnavailable: 1 }), undefined);
    expect(status?.disruptionsAllowed).toBe(0);
    expect(status?.conditions?.[0]).toMatchObject({ status: 'False', reason: 'SyncFailed' });
  });
});
