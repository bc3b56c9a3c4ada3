// Packets in, packets out: hosts of one's own, the cluster's names, stub domains, and everything else from elsewhere.
import type { Answer, DnsRecord, Question } from './records.js';
import { addressType, rcodes } from './records.js';
import type { ClusterZone } from './cluster-zone.js';
import type { DnsConfig, ServerAddress } from './dns-config.js';
import type { Forwarder } from './forwarder.js';
import type { LoopProbe } from './loop-probe.js';
import { encodeAnswer, failure, parseQuery } from './message.js';
import type { Query } from './message.js';
import { fullAddress, isWithin, reversedAddress } from './names.js';
import type { DnsCounters } from './statistics.js';
import { answerRecords, respondWith } from './upstream-packet.js';

export interface DnsServerOptions {
  readonly zone: ClusterZone;
  readonly forwarder: Forwarder;
  readonly loops: LoopProbe;
  readonly counters: DnsCounters;
  config(): DnsConfig;
  /** Of names for which nobody else is named. */
  upstreams(): readonly ServerAddress[];
  /** Whether the client belongs to the cluster: an open server serves attacks on others. */
  serves(client: string): boolean;
}

export interface Client {
  readonly address: string;
  readonly transport: 'udp' | 'tcp';
}

const hostsTtl = 5;
/** Names of the cluster that a name outside leads to and back. */
const longestChain = 8;
const classInternet = 1;
const classAny = 255;

const nameOfRcode = new Map<number, string>(Object.entries(rcodes).map(([name, number]) => [number, name]));

export class DnsServer {
  readonly #options: DnsServerOptions;

  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  /** Undefined: no response. What is known here is answered at once, without a promise. */
  handle(
    packet: Buffer,
    client: Client,
    signal: AbortSignal,
  ): Buffer | Promise<Buffer | undefined> | undefined {
    const { counters } = this.#options;
    const parsed = parseQuery(packet);
    if (parsed === undefined) return undefined;
    if (parsed.type === 'refused') {
      counters.response(nameOfRcode.get(parsed.response.readUInt16BE(2) & 0xf) ?? 'other');
      return parsed.response;
    }
    const { query } = parsed;
    counters.question(client.transport, query.type);
    const answer = this.#answer(query, client);
    return answer === 'forward'
      ? this.#elsewhere(query, client, signal)
      : this.#respond(query, answer, client);
  }

  #respond(query: Query, answer: Answer, { transport }: Client): Buffer {
    this.#options.counters.response(answer.rcode);
    return encodeAnswer(query, answer, transport);
  }

  #answer(query: Query, client: Client): Answer | 'forward' {
    const { serves, loops } = this.#options;
    if (query.edns !== undefined && query.edns.version > 0) return failure('BADVERS');
    if (!serves(client.address)) return failure('REFUSED');
    if (query.classNumber !== classInternet && query.classNumber !== classAny) return failure('REFUSED');
    if (query.type === 'AXFR' || query.type === 'IXFR') return failure('REFUSED');
    if (loops.notice(query.name)) return failure('NXDOMAIN');
    return this.#local(query) ?? 'forward';
  }

  /** Undefined for names of elsewhere, and for names of the cluster's that lead there. */
  #local(question: Question): Answer | undefined {
    const { zone } = this.#options;
    const hosts = this.#hosts(question);
    if (hosts !== undefined) return hosts;
    let found = zone.answer(question);
    const answers: DnsRecord[] = [];
    for (let length = 0; length < longestChain && found !== undefined; length += 1) {
      answers.push(...found.answers);
      const last = found.answers.at(-1);
      if (last?.type !== 'CNAME' || question.type === 'CNAME') return { ...found, answers };
      found = zone.answer({ name: last.data, type: question.type });
    }
    return found === undefined ? undefined : failure('SERVFAIL');
  }

  #hosts({ name, type }: Question): Answer | undefined {
    const { hosts } = this.#options.config();
    if (hosts.size === 0) return undefined;
    const positive = (answers: readonly DnsRecord[]): Answer => ({
      rcode: 'NOERROR',
      authoritative: true,
      answers,
      authority: [],
      additional: [],
    });
    const addresses = hosts.get(name);
    if (addresses !== undefined)
      return positive(
        addresses
          .filter((address) => addressType(address) === type)
          .map((data) => ({ name, ttl: hostsTtl, type: addressType(data), data })),
      );
    const reversed = type === 'PTR' ? reversedAddress(name) : undefined;
    if (reversed === undefined) return undefined;
    const names = [...hosts].filter(([, all]) => all.some((address) => fullAddress(address) === reversed));
    if (names.length === 0) return undefined;
    return positive(names.map(([data]) => ({ name, ttl: hostsTtl, type: 'PTR', data })));
  }

  /** The longest domain wins. Servers that send questions back are left out. */
  #servers(name: string): readonly ServerAddress[] {
    const { config, upstreams, loops } = this.#options;
    let domain: string | undefined;
    for (const candidate of config().stubDomains.keys())
      if (isWithin(name, candidate) && candidate.length >= (domain ?? '').length) domain = candidate;
    const servers = (domain === undefined ? undefined : config().stubDomains.get(domain)) ?? upstreams();
    return servers.filter((server) => !loops.loops(server));
  }

  #elsewhere(query: Query, client: Client, signal: AbortSignal): Buffer | Promise<Buffer> {
    const own = this.#options.zone.answer(query);
    if (own !== undefined) return this.#alias(query, own, { client, signal });
    const servers = this.#servers(query.name);
    const cached = this.#options.forwarder.cached(servers, query);
    return cached === undefined
      ? this.#forward(query, servers, { client, signal })
      : this.#forwarded(query, cached, client);
  }

  #forwarded(
    query: Query,
    { response, ageSeconds }: NonNullable<ReturnType<Forwarder['cached']>>,
    { transport }: Client,
  ): Buffer {
    this.#options.counters.response(nameOfRcode.get(response.rcode) ?? 'other');
    return respondWith(query, response, { ageSeconds, transport });
  }

  async #forward(
    query: Query,
    servers: readonly ServerAddress[],
    { client, signal }: { readonly client: Client; readonly signal: AbortSignal },
  ): Promise<Buffer> {
    const found =
      servers.length === 0 ? undefined : await this.#options.forwarder.ask(servers, query, signal);
    return found === undefined
      ? this.#respond(query, failure('SERVFAIL'), client)
      : this.#forwarded(query, found, client);
  }

  /** An ExternalName of elsewhere: the alias from here, what is behind it from there. */
  async #alias(
    query: Query,
    own: Answer,
    { client, signal }: { readonly client: Client; readonly signal: AbortSignal },
  ): Promise<Buffer> {
    const answers: DnsRecord[] = [...own.answers];
    for (let length = 0; length < longestChain; length += 1) {
      const last = answers.at(-1);
      const next =
        last?.type === 'CNAME' ? this.#options.zone.answer({ name: last.data, type: query.type }) : undefined;
      if (next === undefined) break;
      answers.push(...next.answers);
    }
    const target = answers.at(-1);
    if (target?.type !== 'CNAME') return this.#respond(query, failure('SERVFAIL'), client);
    const question = Buffer.concat([
      ...target.data
        .split('.')
        .map((label) => Buffer.concat([Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)])),
      Buffer.from([0]),
      query.question.subarray(-4),
    ]);
    const behind: Query = { ...query, name: target.data, question };
    const servers = this.#servers(target.data);
    const { forwarder } = this.#options;
    const found =
      forwarder.cached(servers, behind) ??
      (servers.length === 0 ? undefined : await forwarder.ask(servers, behind, signal));
    const more = found === undefined ? [] : answerRecords(found.response);
    // The alias itself is right, whatever becomes of the name behind it.
    return this.#respond(query, { ...own, answers: [...answers, ...more], additional: [] }, client);
  }
}
