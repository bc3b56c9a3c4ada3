// Whether the wanted version has served before and may come back without steps and analysis.
import type { RolloutSpec } from '../../resources/generated/types.js';
import { allVersions } from '../versions.js';
import type { Versions } from '../versions.js';

/**
 * Blue and green: the version still waits for its time to go. Otherwise by `rollbackWindow`: it is older than the good one,
 * and fewer versions than the window has lie between the two.
 */
export const isFastRollback = (spec: RolloutSpec, versions: Versions): boolean => {
  const { current, stable } = versions;
  if (current === undefined || stable === undefined || current === stable) return false;
  if (spec.strategy?.blueGreen !== undefined && current.goesAt !== undefined) return true;
  const window = spec.rollbackWindow?.revisions;
  if (window === undefined || current.createdAt >= stable.createdAt) return false;
  const between = allVersions(versions).filter(
    ({ createdAt }) => createdAt > current.createdAt && createdAt < stable.createdAt,
  );
  return between.length < window;
};
