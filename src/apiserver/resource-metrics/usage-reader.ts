// What nodes and pods consume now, asked of the agents when someone wants to know: `kubectl top` and autoscalers.
import type { Clock, Instant } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import { isConditionTrue } from '../../resources/conditions.js';
import type { Node } from '../../resources/generated/types.js';
import { nodes } from '../../resources/kinds/nodes.js';
import type { UsageSummary } from '../../resources/usage-summary.js';
import type { NodeMeter } from '../node-gateway.js';
import { agentOf } from '../pod-log.js';
import type { Registry } from '../registry.js';

export interface UsageReaderOptions {
  readonly registry: Pick<Registry, 'get' | 'list'>;
  readonly meter: NodeMeter;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An answer as young as this serves whoever asks next, in milliseconds. */
const fresh = 5_000;

interface Asked {
  readonly at: Instant;
  readonly answer: Promise<UsageSummary | undefined>;
}

export class UsageReader {
  readonly #options: UsageReaderOptions;
  readonly #asked = new Map<string, Asked>();

  constructor(options: UsageReaderOptions) {
    this.#options = options;
  }

  /** By the names of the nodes; one that is not ready or does not answer is left out. */
  async ofNodes(names: Iterable<string>): Promise<ReadonlyMap<string, UsageSummary>> {
    const found = await Promise.all(
      [...new Set(names)].map(async (name) => [name, await this.#of(name)] as const),
    );
    return new Map(found.flatMap(([name, usage]) => (usage === undefined ? [] : [[name, usage] as const])));
  }

  #of(name: string): Promise<UsageSummary | undefined> {
    const now = this.#options.clock.now();
    const known = this.#asked.get(name);
    if (known !== undefined && now - known.at < fresh) return known.answer;
    for (const [other, { at }] of this.#asked) if (now - at >= fresh) this.#asked.delete(other);
    const answer = this.#ask(name);
    this.#asked.set(name, { at: now, answer });
    return answer;
  }

  async #ask(name: string): Promise<UsageSummary | undefined> {
    const { registry, meter, log } = this.#options;
    try {
      const node = (await registry.get(nodes, { name })).object as Node;
      if (!isConditionTrue(node.status?.conditions, 'Ready')) return undefined;
      // Several may wait for this one answer, so no single client's leaving ends it; the gateway bounds its time.
      return await meter.usage(await agentOf(registry, name), new AbortController().signal);
    } catch (error) {
      log.debug({ node: name, error: messageOf(error) }, 'a node does not say what it consumes');
      return undefined;
    }
  }
}
