// Names of a ReplicaSet's pods: each slot has one name for ever, so two decisions on one view name the same pods.
import { shortHash } from '../../reconcile/hash.js';

/** Kubernetes' bound for generated names, so that a pod's name is a host name too. */
const longestBase = 58;

export const slotName = (replicaSet: string, uid: string, slot: number): string =>
  `${replicaSet.slice(0, longestBase - 1)}-${shortHash(5, uid, slot)}`;

/** The names of the first `count` slots whose name nobody has. */
export const freeNames = (
  { name, uid }: { readonly name: string; readonly uid: string },
  count: number,
  isTaken: (name: string) => boolean,
): readonly string[] => {
  const names = new Set<string>();
  for (let slot = 0; names.size < count; slot += 1) {
    const candidate = slotName(name, uid, slot);
    if (!isTaken(candidate)) names.add(candidate);
  }
  return [...names];
};
