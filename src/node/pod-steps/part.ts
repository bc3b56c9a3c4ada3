// What one part of a pod's step wants, and how parts are put together.
import type { Instant } from '../../base/clock.js';
import type { Announcement, PodAction } from '../pod-actions.js';
import type { PodPicture } from '../pod-picture.js';

export interface Part {
  readonly actions: readonly PodAction[];
  readonly because?: string | undefined;
  readonly wakeAt?: Instant | undefined;
  readonly announcements?: readonly Announcement[] | undefined;
}

export type StepPart = (picture: PodPicture) => Part;

export const mergeParts = (parts: readonly Part[]): Part => {
  const times = parts.flatMap(({ wakeAt }) => (wakeAt === undefined ? [] : [wakeAt]));
  return {
    actions: parts.flatMap(({ actions }) => actions),
    because: parts.flatMap(({ because }) => (because === undefined ? [] : [because])).join('; ') || undefined,
    wakeAt: times.length === 0 ? undefined : Math.min(...times),
    announcements: parts.flatMap(({ announcements }) => announcements ?? []),
  };
};
