// Removes the data of this node's volumes that are deleted, then lets their objects go. Data goes only when its volume's
// object says so: never because something is missing, or failed.
import { Bell } from '../base/bell.js';
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { PersistentVolume } from '../resources/generated/types.js';
import { persistentvolumes } from '../resources/kinds/persistentvolumes.js';
import { isDeleting } from '../resources/resource.js';
import {
  localProvisioner,
  nodeDataFinalizer,
  nodeOfVolume,
  provisionedBy,
} from '../resources/storage/binding.js';
import type { NodeFiles } from './node-files.js';

export interface VolumeJanitorOptions {
  readonly nodeName: string;
  readonly cluster: Cluster;
  readonly files: Pick<NodeFiles, 'removeVolume'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const retryMs = 10_000;

export const isToBeRemoved = ({ metadata, ...rest }: PersistentVolume, nodeName: string): boolean =>
  isDeleting({ metadata, ...rest }) &&
  metadata.labels?.[nodeOfVolume] === nodeName &&
  metadata.annotations?.[provisionedBy] === localProvisioner &&
  // Other finalizers are others' reasons to wait.
  metadata.finalizers?.length === 1 &&
  metadata.finalizers[0] === nodeDataFinalizer;

export class VolumeJanitor {
  readonly #options: VolumeJanitorOptions;
  readonly #wanted = new Map<string, PersistentVolume>();
  readonly #bell = new Bell();

  constructor(options: VolumeJanitorOptions) {
    this.#options = options;
  }

  look(volume: PersistentVolume): void {
    if (!isToBeRemoved(volume, this.#options.nodeName)) return;
    this.#wanted.set(volume.metadata.name, volume);
    this.#bell.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [volume] = this.#wanted.values();
      if (volume === undefined) await this.#bell.wait(signal);
      else await this.#remove(volume, signal);
    }
  }

  async #remove(volume: PersistentVolume, signal: AbortSignal): Promise<void> {
    const { files, cluster, clock, log } = this.#options;
    const { name, resourceVersion } = volume.metadata;
    try {
      await files.removeVolume(name);
      const patch = { metadata: { resourceVersion, finalizers: [] } };
      await cluster.patch(persistentvolumes, { name }, { type: 'merge', patch });
      this.#wanted.delete(name);
      log.info({ volume: name }, 'the data of a deleted volume is removed');
    } catch (error) {
      if (isAbort(error, signal)) return;
      // Someone wrote it meanwhile, or it is gone: the watch says so.
      if (hasCode(error, 'Conflict', 'NotFound')) {
        this.#wanted.delete(name);
        return;
      }
      log.warn({ volume: name, error: messageOf(error) }, 'the data of a deleted volume stays: trying again');
      try {
        await clock.sleep(retryMs, signal);
      } catch (reason) {
        if (!isAbort(reason, signal)) throw reason;
      }
    }
  }
}
