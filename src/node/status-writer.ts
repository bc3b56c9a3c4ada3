// Writes one pod's status: only when it differs, one write at a time, always the newest.
import { hasCode, messageOf } from '../base/errors.js';
import { equal } from '../base/json.js';
import type { Pod, PodStatus } from '../resources/generated/types.js';
import { pods } from '../resources/kinds/pods.js';
import { nameOf } from '../resources/resource.js';
import type { NodeContext } from './node-context.js';

const attempts = 3;

export class StatusWriter {
  readonly #node: NodeContext;
  /** Hears of what the server has stored, before the watch brings it. */
  readonly #stored: (pod: Pod) => void;
  readonly #failed: () => void;
  #wanted: { readonly pod: Pod; readonly status: PodStatus } | undefined;
  #writing = false;

  constructor(node: NodeContext, callbacks: { stored(pod: Pod): void; failed(): void }) {
    this.#node = node;
    this.#stored = callbacks.stored;
    this.#failed = callbacks.failed;
  }

  get writing(): boolean {
    return this.#writing;
  }

  want(pod: Pod, status: PodStatus): void {
    if (!this.#writing && equal(pod.status, status)) return;
    this.#wanted = { pod, status };
    if (!this.#writing) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    let failed = false;
    try {
      for (let next = this.#wanted; next !== undefined; next = this.#wanted) {
        this.#wanted = undefined;
        await this.#write(next.pod, next.status);
      }
    } catch (error) {
      failed = true;
      const { name, namespace } = nameOf(this.#wanted?.pod ?? ({ metadata: { name: '' } } as Pod));
      this.#node.log.warn(
        { pod: name, namespace, error: messageOf(error) },
        'the status of a pod was not written',
      );
    } finally {
      this.#writing = false;
    }
    if (failed) this.#failed();
  }

  async #write(pod: Pod, status: PodStatus): Promise<void> {
    const { cluster } = this.#node;
    let base = pod;
    for (let attempt = 1; ; attempt += 1) {
      if (equal(base.status, status)) return;
      try {
        this.#stored(await cluster.updateStatus(pods, { ...base, status }));
        return;
      } catch (error) {
        if (hasCode(error, 'NotFound')) return;
        if (!hasCode(error, 'Conflict') || attempt === attempts) throw error;
      }
      try {
        base = await cluster.get(pods, nameOf(pod));
      } catch (error) {
        if (hasCode(error, 'NotFound')) return;
        throw error;
      }
      if (base.metadata.uid !== pod.metadata.uid) return;
      this.#stored(base);
    }
  }
}
