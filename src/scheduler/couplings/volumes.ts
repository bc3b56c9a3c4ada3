// The volumes of a pod's claims must be reached from its node, or be there to be had. Follows the VolumeBinding and
// VolumeRestrictions plugins of kube-scheduler.
import type { PersistentVolumeClaim } from '../../resources/generated/types.js';
import type { ObjectName } from '../../resources/resource.js';
import { isDeleting } from '../../resources/resource.js';
import {
  bestVolume,
  classOf,
  isBound,
  isDelayed,
  mayProvisionOn,
  noProvisioner,
  selectedNode,
  volumeReaches,
} from '../../resources/storage/binding.js';
import type { NodeView, PodClass } from '../placement.js';
import { podsOn, type Coupling, type CouplingRule, type VolumeFacts } from './coupling.js';

type Question = (node: NodeView) => string | undefined;

const conflict = "node(s) didn't match PersistentVolume's node affinity";
const nothingToBind = "node(s) didn't find available persistent volumes to bind";

const nameIn = ({ pod }: PodClass, name: string): ObjectName => ({
  name,
  namespace: pod.metadata.namespace,
});

/** Where the claim's volume is, or could be: what it says about each node. */
const questionOf = (name: ObjectName, facts: VolumeFacts): Question => {
  const claim = facts.claim(name);
  if (claim === undefined) return () => `persistentvolumeclaim "${name.name}" not found`;
  if (isDeleting(claim)) return () => `persistentvolumeclaim "${name.name}" is being deleted`;
  if (claim.status?.phase === 'Lost')
    return () => `persistentvolumeclaim "${name.name}" bound to non-existent persistentvolume`;
  if ((claim.spec.volumeName ?? '') !== '') {
    const volume = facts.volume(claim.spec.volumeName ?? '');
    return ({ node }) => (volume === undefined || volumeReaches(volume, node) ? undefined : conflict);
  }
  const storageClass = facts.storageClass(classOf(claim));
  if (!isDelayed(storageClass)) return () => 'pod has unbound immediate PersistentVolumeClaims';
  // Its volume is being made for that node: another one would come too late.
  const chosen = claim.metadata.annotations?.[selectedNode];
  const makes = storageClass !== undefined && storageClass.provisioner !== noProvisioner;
  return (view) => {
    if (chosen !== undefined && chosen !== view.name) return conflict;
    if (bestVolume(claim, facts.volumes(), view.node) !== undefined) return undefined;
    return makes && mayProvisionOn(storageClass, view.node) ? undefined : nothingToBind;
  };
};

const isForOnePod = (claim: PersistentVolumeClaim | undefined): boolean =>
  claim?.spec.accessModes?.includes('ReadWriteOncePod') === true;

class BoundVolumes implements Coupling {
  readonly name = 'volumes';
  readonly preemptible = false;
  readonly #questions: readonly Question[];

  constructor(pod: PodClass, facts: VolumeFacts) {
    this.#questions = pod.claims.map((name) => questionOf(nameIn(pod, name), facts));
  }

  isActive(): boolean {
    return true;
  }

  count(): void {
    // What is known of volumes is asked when it is needed.
  }

  reject(node: NodeView): string | undefined {
    for (const question of this.#questions) {
      const reason = question(node);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }
}

export const boundVolumes: CouplingRule = (pod, { volumes }) =>
  pod.claims.length === 0 ? undefined : new BoundVolumes(pod, volumes);

/** A claim that one pod may use is used by one pod in the whole cluster. */
class OnePodClaims implements Coupling {
  readonly name = 'claims for one pod';
  readonly #shares: (other: PodClass) => boolean;
  readonly #users = new Map<string, number>();
  #total = 0;

  constructor(pod: PodClass, names: ReadonlySet<string>) {
    const { namespace } = pod.pod.metadata;
    this.#shares = ({ pod: other, claims }) =>
      other.metadata.namespace === namespace && claims.some((name) => names.has(name));
  }

  isActive(): boolean {
    return this.#total > 0;
  }

  count(node: NodeView, present: boolean): void {
    const users = present ? podsOn(node, this.#shares, true) : 0;
    this.#total += users - (this.#users.get(node.name) ?? 0);
    if (users === 0) this.#users.delete(node.name);
    else this.#users.set(node.name, users);
  }

  reject(): string {
    return 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';
  }
}

export const onePodClaims: CouplingRule = (pod, { volumes }) => {
  const names = pod.claims.filter((name) => isForOnePod(volumes.claim(nameIn(pod, name))));
  return names.length === 0 ? undefined : new OnePodClaims(pod, new Set(names));
};

/** Claims that get their volume once the pod's node is known. */
export const pendingClaims = (pod: PodClass, facts: VolumeFacts): readonly PersistentVolumeClaim[] =>
  pod.claims.flatMap((name) => {
    const claim = facts.claim(nameIn(pod, name));
    return claim === undefined || isBound(claim) ? [] : [claim];
  });
