// Questions for names of elsewhere: asked of name servers one after the other, kept for as long as the answers say.
import { LRUCache } from 'lru-cache';
import type { Clock, Instant } from '../../base/clock.js';
import { flag, headerBytes, largestDatagram } from './message.js';
import type { Query } from './message.js';
import type { ServerAddress } from './dns-config.js';
import type { DnsCounters } from './statistics.js';
import { answersQuestion, parseResponse } from './upstream-packet.js';
import type { UpstreamResponse } from './upstream-packet.js';

export interface Exchange {
  readonly server: ServerAddress;
  readonly transport: 'udp' | 'tcp';
  /** The first two bytes, the id, are the upstream's to choose. */
  readonly packet: Buffer;
  readonly timeoutMs: number;
  /** Whether a packet from there is the response; others are forgeries or come too late. */
  accepts(response: Buffer): boolean;
}

/** The way to other servers. */
export interface Upstream {
  /** Each question has a random id and leaves from a random port. Rejects when nothing comes in time. */
  exchange(exchange: Exchange, signal: AbortSignal): Promise<Buffer>;
}

export interface ForwarderOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly counters: DnsCounters;
  /** Responses that are kept; the least used goes first. */
  readonly cacheEntries?: number | undefined;
}

interface Kept {
  readonly response: UpstreamResponse;
  readonly at: Instant;
}

export interface Forwarded {
  readonly response: UpstreamResponse;
  readonly ageSeconds: number;
}

const attemptMs = 1_500;
const rounds = 2;
/** A server that did not answer is asked last for this long. */
const restMs = 10_000;
/** When no server answers, what they said before is better than nothing (RFC 8767). */
const staleMs = 3_600_000;
/** Questions that wait at one time; more are refused, so that a flood stays bounded. */
const mostWaiting = 2_000;

const serverText = ({ address, port }: ServerAddress): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;

/** The question as it goes to another server, with room for answers of a full datagram. */
export const questionPacket = (query: Pick<Query, 'flags' | 'question' | 'edns'>): Buffer => {
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(41, 1);
  opt.writeUInt16BE(largestDatagram, 3);
  if (query.edns?.dnssecOk === true) opt.writeUInt16BE(0x8000, 7);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(flag.recursionDesired | (query.flags & flag.checkingDisabled), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 10);
  return Buffer.concat([header, query.question, opt]);
};

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #cache: LRUCache<string, Kept>;
  readonly #waiting = new Map<string, Promise<UpstreamResponse | undefined>>();
  readonly #resting = new Map<string, Instant>();

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#cache = new LRUCache({ max: options.cacheEntries ?? 10_000 });
  }

  /** A response that is still good; at once. */
  cached(servers: readonly ServerAddress[], query: Query): Forwarded | undefined {
    const kept = this.#cache.get(this.#key(servers, query));
    const ageMs = kept === undefined ? 0 : this.#options.clock.now() - kept.at;
    if (kept === undefined || ageMs >= kept.response.keepSeconds * 1000) return undefined;
    this.#options.counters.cacheHits += 1;
    return { response: kept.response, ageSeconds: Math.floor(ageMs / 1000) };
  }

  /** Undefined when no server answers in time. Equal questions at one time are asked once. */
  async ask(
    servers: readonly ServerAddress[],
    query: Query,
    signal: AbortSignal,
  ): Promise<Forwarded | undefined> {
    const { clock, counters } = this.#options;
    const key = this.#key(servers, query);
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      if (this.#waiting.size >= mostWaiting) return undefined;
      counters.cacheMisses += 1;
      waiting = this.#try(servers, query, signal).finally(() => this.#waiting.delete(key));
      this.#waiting.set(key, waiting);
    }
    const response = await waiting;
    if (response !== undefined) {
      if (response.keepSeconds > 0) this.#cache.set(key, { response, at: clock.now() });
      counters.cacheEntries = this.#cache.size;
      return { response, ageSeconds: 0 };
    }
    const stale = this.#cache.get(key);
    if (stale === undefined || stale.response.rcode === 2 || clock.now() - stale.at > staleMs)
      return undefined;
    return { response: stale.response, ageSeconds: Infinity };
  }

  #key(servers: readonly ServerAddress[], query: Query): string {
    const dnssec = query.edns?.dnssecOk === true ? 'd' : '';
    const unchecked = (query.flags & flag.checkingDisabled) !== 0 ? 'c' : '';
    const [first] = servers;
    const group = first === undefined ? '' : `${serverText(first)}+${servers.length}`;
    return `${group} ${dnssec}${unchecked} ${query.question.toString('latin1').toLowerCase()}`;
  }

  async #try(
    servers: readonly ServerAddress[],
    query: Query,
    signal: AbortSignal,
  ): Promise<UpstreamResponse | undefined> {
    let refused: UpstreamResponse | undefined;
    for (let round = 0; round < rounds; round += 1) {
      for (const server of this.#order(servers)) {
        const response = await this.#one(server, query, signal);
        signal.throwIfAborted();
        if (response === undefined) continue;
        // A server that fails or refuses may have a neighbour that knows.
        if (response.rcode === 0 || response.rcode === 3) return response;
        refused = response;
      }
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  #order(servers: readonly ServerAddress[]): readonly ServerAddress[] {
    const now = this.#options.clock.now();
    const rests = (server: ServerAddress): boolean => (this.#resting.get(serverText(server)) ?? 0) > now;
    return [...servers.filter((server) => !rests(server)), ...servers.filter(rests)];
  }

  async #one(
    server: ServerAddress,
    query: Query,
    signal: AbortSignal,
  ): Promise<UpstreamResponse | undefined> {
    const over = async (transport: 'udp' | 'tcp'): Promise<UpstreamResponse | undefined> => {
      const packet = await this.#options.upstream.exchange(
        {
          server,
          transport,
          packet: questionPacket(query),
          timeoutMs: attemptMs,
          accepts: (response) => answersQuestion(response, query.question),
        },
        signal,
      );
      return parseResponse(packet);
    };
    this.#options.counters.forward(serverText(server));
    try {
      const response = await over('udp');
      const whole = response?.truncated === true ? ((await over('tcp')) ?? response) : response;
      this.#resting.delete(serverText(server));
      return whole;
    } catch {
      // Whatever kept it from answering: the next server is asked, and this one last for a while.
      this.#resting.set(serverText(server), this.#options.clock.now() + restMs);
      return undefined;
    }
  }
}
