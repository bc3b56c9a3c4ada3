// Members of one Release advance in step: none is more than a step ahead, and one that is given up takes the others back.
import type { Release, Rollout } from '../../resources/generated/types.js';
import { stepsOf } from '../../resources/rollouts/strategy-of.js';
import type { Peers } from '../strategies/strategy.js';

export interface ReleaseView {
  readonly peers: Peers;
  /** Why the release is given up; undefined while it is not. */
  readonly aborted: string | undefined;
}

const alone: ReleaseView = { peers: { behindAt: undefined, behind: undefined }, aborted: undefined };

const takenAlong = 'of the same release was aborted';

/** Whether a member is on its way to another version, or was and has been given up. */
const isUpdating = ({ status }: Rollout): boolean =>
  status?.stableRS !== undefined && status.stableRS !== '' && status.stableRS !== status.currentPodHash;

/** The status does not show the present spec yet: what it says of its steps may be of the version before. */
const isUnseen = ({ metadata, status }: Rollout): boolean =>
  Number(status?.observedGeneration ?? 0) < (metadata.generation ?? 0);

const hasDoneAll = (rollout: Rollout): boolean =>
  !isUpdating(rollout) || (rollout.status?.currentStepIndex ?? 0) >= stepsOf(rollout.spec).length;

export const releaseView = (
  rollout: Rollout,
  releases: readonly Release[],
  rolloutNamed: (name: string) => Rollout | undefined,
): ReleaseView => {
  const { name } = rollout.metadata;
  const members = releases
    .filter(({ spec }) => spec.rollouts.includes(name))
    .flatMap(({ spec }) => spec.rollouts)
    .filter((member) => member !== name)
    .map(rolloutNamed)
    .filter((member) => member !== undefined);
  if (members.length === 0) return alone;
  // One that was taken along itself takes nobody along: else no member could ever try again.
  const failed = members.find(
    (member) =>
      member.status?.abort === true &&
      isUpdating(member) &&
      member.status.abortMessage?.includes(takenAlong) !== true,
  );
  const aborted =
    failed === undefined
      ? undefined
      : `Rollout ${failed.metadata.name} ${takenAlong}: ${failed.status?.abortMessage ?? ''}`;
  let behindAt: number | undefined;
  let behind: string | undefined;
  for (const member of members) {
    if (!isUnseen(member) && hasDoneAll(member)) continue;
    const at = isUnseen(member) ? 0 : (member.status?.currentStepIndex ?? 0);
    if (behindAt !== undefined && behindAt <= at) continue;
    behindAt = at;
    behind = `Rollout ${member.metadata.name} of the same release`;
  }
  return { peers: { behindAt, behind }, aborted };
};
