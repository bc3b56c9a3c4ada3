// Release: says where its rollouts stand together. The rollouts themselves keep in step (rollout/peers.ts).
import { equal } from '../../base/json.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import type { Release, ReleaseMember, ReleaseStatus, Rollout } from '../../resources/generated/types.js';
import { releases } from '../../resources/kinds/releases.js';
import { rollouts } from '../../resources/kinds/rollouts.js';
import { isDeleting, nameOf } from '../../resources/resource.js';

export interface ReleaseObserved {
  readonly release: Release;
  /** In the order of the spec; undefined for one that is not there. */
  readonly members: readonly (Rollout | undefined)[];
}

const observe = (view: View, key: Key): ReleaseObserved | undefined => {
  const release = view.get(releases, key);
  if (release === undefined) return undefined;
  const { namespace } = release.metadata;
  return { release, members: release.spec.rollouts.map((name) => view.get(rollouts, { name, namespace })) };
};

const worstFirst = ['Degraded', 'Paused', 'Progressing', 'Healthy'];

const memberOf = (name: string, rollout: Rollout | undefined): ReleaseMember => {
  if (rollout === undefined) return { name, phase: 'Degraded', message: 'the rollout is not there' };
  const { phase = 'Progressing', message = '', currentStepIndex, currentPodHash = '' } = rollout.status ?? {};
  return {
    name,
    phase,
    hash: currentPodHash,
    ...(message === '' ? {} : { message }),
    ...(currentStepIndex === undefined ? {} : { step: currentStepIndex }),
  };
};

const statusOf = ({ release, members }: ReleaseObserved): ReleaseStatus => {
  const all = release.spec.rollouts.map((name, index) => memberOf(name, members[index]));
  const phase = worstFirst.find((one) => all.some((member) => member.phase === one)) ?? 'Progressing';
  const told = all.find((member) => member.phase === phase && member.message !== undefined);
  const steps = all.flatMap(({ step }) => (step === undefined ? [] : [step]));
  return {
    phase,
    ...(told?.message === undefined ? {} : { message: `${told.name}: ${told.message}` }),
    ...(steps.length === 0 ? {} : { step: Math.min(...steps) }),
    ...(release.metadata.generation === undefined ? {} : { observedGeneration: release.metadata.generation }),
    members: all,
  };
};

export const reconcileRelease = (observed: ReleaseObserved): Decision<ClusterAction> => {
  const { release } = observed;
  if (isDeleting(release)) return { actions: [], because: 'it is being deleted' };
  const status = statusOf(observed);
  const because = status.message ?? `its rollouts are ${status.phase ?? ''}`;
  return {
    actions: equal(release.status ?? {}, status)
      ? []
      : [{ type: 'updateStatus', kind: releases, object: { ...release, status } as Release }],
    because,
  };
};

export const releaseController: Controller<ReleaseObserved, ClusterAction> = {
  name: 'release',
  watches: [
    { kind: releases, keys: ({ object }) => [nameOf(object)] },
    {
      kind: rollouts,
      keys: ({ object: { metadata } }, view) =>
        view
          .list(releases, metadata.namespace)
          .filter(({ spec }) => spec.rollouts.includes(metadata.name))
          .map(nameOf),
    },
  ],
  observe,
  reconcile: reconcileRelease,
};
