import { decode, encode } from 'dns-packet';
import type { Packet } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../../src/base/manual-clock.js';
import type { DnsConfig } from '../../../../src/network/dns/dns-config.js';
import { readDnsConfig } from '../../../../src/network/dns/dns-config.js';
import { DnsServer } from '../../../../src/network/dns/dns-server.js';
import type { Exchange } from '../../../../src/network/dns/forwarder.js';
import { Forwarder } from '../../../../src/network/dns/forwarder.js';
import { LoopProbe } from '../../../../src/network/dns/loop-probe.js';
import { DnsCounters } from '../../../../src/network/dns/statistics.js';
import { random } from '../random.js';
import { ask, read, service, slice, zoneOf } from './zone-fixtures.js';

const signal = new AbortController().signal;
const local = { address: '10.244.1.9', transport: 'udp' as const };
const zone = zoneOf(
  service('web', { clusterIP: '10.96.0.20', ports: [{ name: 'http', port: 80 }] }),
  service('out', { type: 'ExternalName', externalName: 'www.example.com' }),
  service('back', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
  service('round', { type: 'ExternalName', externalName: 'round.shop.svc.cluster.local' }),
  service('many', { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] }),
  slice(
    'many',
    Array.from({ length: 100 }, (_, index) => ({ address: `10.244.3.${index}` })),
  ),
);

interface World {
  readonly server: DnsServer;
  readonly clock: ManualClock;
  readonly counters: DnsCounters;
  readonly probe: LoopProbe;
  /** Questions that went out: `server transport name type`. */
  readonly asked: string[];
  looping: readonly { readonly address: string }[];
}

type Reply = Partial<Packet> & { readonly rcode?: number };

/** Other servers answer as `reply` says; undefined: never. */
const world = (
  reply: (exchange: Exchange, name: string) => Reply | undefined,
  data: Readonly<Record<string, string>> = {},
  onQuestion: (server: DnsServer, packet: Buffer) => void = () => undefined,
): World => {
  const clock = new ManualClock(1_000_000);
  const counters = new DnsCounters();
  const asked: string[] = [];
  const upstream = {
    exchange: (exchange: Exchange): Promise<Buffer> => {
      const question = decode(exchange.packet).questions![0]!;
      asked.push(`${exchange.server.address} ${exchange.transport} ${question.name} ${question.type}`);
      onQuestion(made.server, exchange.packet);
      const answer = reply(exchange, question.name);
      if (answer === undefined) return Promise.reject(new Error('no answer in time'));
      const { rcode = 0, ...packet } = answer;
      const bytes = encode({ type: 'response', questions: [question], ...packet });
      bytes.writeUInt16BE(bytes.readUInt16BE(2) | rcode, 2);
      return exchange.accepts(bytes) ? Promise.resolve(bytes) : Promise.reject(new Error('another question'));
    },
  };
  const config: DnsConfig = readDnsConfig({ data }).config;
  let seed = 0;
  const probe = new LoopProbe({
    upstream,
    clock,
    random: () => ((seed += 1), (seed * 0.61803) % 1),
    changed: (looping) => {
      made.looping = looping;
    },
  });
  const made: World = {
    server: new DnsServer({
      zone,
      forwarder: new Forwarder({ upstream, clock, counters, cacheEntries: 100 }),
      loops: probe,
      counters,
      config: () => config,
      upstreams: () =>
        config.upstreams ?? [
          { address: '192.0.2.1', port: 53 },
          { address: '192.0.2.2', port: 53 },
        ],
      serves: (client) => client.startsWith('10.'),
    }),
    clock,
    counters,
    probe,
    asked,
    looping: [],
  };
  return made;
};

const answers = async ({ server }: World, name: string, type = 'A'): Promise<string[]> => {
  const response = read(await server.handle(ask(name, type), local, signal));
  return response.answers!.map((one) => `${one.type} ${String((one as { data: unknown }).data)}`);
};
const nothing = (): undefined => undefined;
const address = (data: string, ttl = 60) => ({
  answers: [{ type: 'A' as const, name: 'www.example.com', ttl, data }],
});

describe('a question', () => {
  it('for a name of the cluster is answered at once, without anyone else', () => {
    const { server, asked } = world(nothing);
    const response = server.handle(ask('WeB.shop.SVC.cluster.local', 'A'), local, signal);
    expect(response).toBeInstanceOf(Buffer);
    const read_ = read(response as Buffer);
    expect(read_).toMatchObject({ id: 4711, rcode: 'NOERROR', flag_aa: true, flag_rd: true, flag_ra: true });
    // The letters come back as they were sent.
    expect(read_.questions![0]!.name).toBe('WeB.shop.SVC.cluster.local');
    expect(read_.answers![0]).toMatchObject({ type: 'A', data: '10.96.0.20' });
    expect(asked).toEqual([]);
  });

  it('from outside of the cluster, for another class, or for a transfer is refused', async () => {
    const { server } = world(nothing);
    const rcode = async (packet: Buffer, from = local) =>
      read(await server.handle(packet, from, signal)).rcode;
    expect(await rcode(ask('www.example.com', 'A'), { ...local, address: '203.0.113.9' })).toBe('REFUSED');
    expect(
      await rcode(
        ask('version.bind', 'TXT', { questions: [{ name: 'version.bind', type: 'TXT', class: 'CH' }] }),
      ),
    ).toBe('REFUSED');
    expect(await rcode(ask('cluster.local', 'AXFR'))).toBe('REFUSED');
  });

  it('that follows aliases of the cluster ends at an address, and aliases in a circle end too', async () => {
    const made = world(nothing);
    expect(await answers(made, 'back.shop.svc.cluster.local')).toEqual([
      'CNAME web.shop.svc.cluster.local',
      'A 10.96.0.20',
    ]);
    expect(
      read(await made.server.handle(ask('round.shop.svc.cluster.local', 'A'), local, signal)).rcode,
    ).toBe('SERVFAIL');
  });

  it('for an alias of elsewhere gets the alias and what is behind it', async () => {
    const made = world(() => address('198.51.100.7'));
    expect(await answers(made, 'out.shop.svc.cluster.local')).toEqual([
      'CNAME www.example.com',
      'A 198.51.100.7',
    ]);
    expect(made.asked).toEqual(['192.0.2.1 udp www.example.com A']);
  });

  it('is cut where the client takes no more, and whole over TCP', async () => {
    const { server } = world(nothing);
    const name = 'many.shop.svc.cluster.local';
    const small = server.handle(ask(name, 'A'), local, signal) as Buffer;
    expect(small.length).toBeLessThanOrEqual(512);
    expect(read(small).flag_tc).toBe(true);
    const edns = {
      additionals: [
        { type: 'OPT' as const, name: '.' as const, udpPayloadSize: 4096, flags: 0, options: [] },
      ],
    };
    const larger = server.handle(ask(name, 'A', edns as never), local, signal) as Buffer;
    expect(larger.length).toBeGreaterThan(1_000);
    expect(larger.length).toBeLessThanOrEqual(1_232);
    expect(read(larger).additionals![0]).toMatchObject({ type: 'OPT', udpPayloadSize: 1_232 });
    const whole = read(await server.handle(ask(name, 'A'), { ...local, transport: 'tcp' }, signal));
    expect(whole.flag_tc).toBe(false);
    expect(whole.answers).toHaveLength(100);
  });

  it('with a later version of EDNS is told which one is spoken here', () => {
    const { server } = world(nothing);
    const packet = ask('web.shop.svc.cluster.local', 'A', {
      additionals: [
        { type: 'OPT', name: '.', udpPayloadSize: 1232, ednsVersion: 1, flags: 0, options: [] } as never,
      ],
    });
    const response = read(server.handle(packet, local, signal) as Buffer);
    expect(response.additionals![0]).toMatchObject({ type: 'OPT', extendedRcode: 1, ednsVersion: 0 });
  });
});

describe('a name of elsewhere', () => {
  it('is remembered for as long as its answer says, and its life shown shrinking', async () => {
    const made = world(() => address('198.51.100.7', 60));
    await answers(made, 'www.example.com');
    await made.clock.advance(20_000);
    const later = read(await made.server.handle(ask('WWW.example.com', 'A'), local, signal));
    expect(later.answers![0]).toMatchObject({ data: '198.51.100.7', ttl: 40 });
    expect(later.questions![0]!.name).toBe('WWW.example.com');
    expect(made.asked).toHaveLength(1);
    await made.clock.advance(41_000);
    await answers(made, 'www.example.com');
    expect(made.asked).toHaveLength(2);
    expect(made.counters).toMatchObject({ cacheHits: 1, cacheMisses: 2, cacheEntries: 1 });
  });

  it('that is not there is remembered as the zone says (RFC 2308)', async () => {
    const soa = { mname: 'ns', rname: 'host', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 30 };
    const made = world(() => ({
      rcode: 3,
      authorities: [{ type: 'SOA' as const, name: 'example.com', ttl: 600, data: soa }],
    }));
    const rcode = async () => read(await made.server.handle(ask('no.example.com', 'A'), local, signal)).rcode;
    expect(await rcode()).toBe('NXDOMAIN');
    await made.clock.advance(29_000);
    expect(await rcode()).toBe('NXDOMAIN');
    expect(made.asked).toHaveLength(1);
    await made.clock.advance(2_000);
    await rcode();
    expect(made.asked).toHaveLength(2);
  });

  it('is asked of the next server when one is silent or fails, and the silent one last from then on', async () => {
    const made = world(({ server }) =>
      server.address === '192.0.2.1' ? undefined : address('198.51.100.7', 0),
    );
    expect(await answers(made, 'www.example.com')).toEqual(['A 198.51.100.7']);
    await answers(made, 'www.example.com');
    expect(made.asked.map((one) => one.split(' ')[0])).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.2']);
  });

  it('is asked again over TCP when the answer was cut', async () => {
    const made = world(({ transport }) =>
      transport === 'udp' ? { flags: 0x0200 } : address('198.51.100.7'),
    );
    expect(await answers(made, 'www.example.com')).toEqual(['A 198.51.100.7']);
    expect(made.asked.map((one) => one.split(' ')[1])).toEqual(['udp', 'tcp']);
  });

  it('is asked once for all who ask at one time', async () => {
    const made = world(() => address('198.51.100.7'));
    await Promise.all(Array.from({ length: 20 }, () => answers(made, 'www.example.com')));
    expect(made.asked).toHaveLength(1);
  });

  it('keeps its last answer while no server answers', async () => {
    let silent = false;
    const made = world(() => (silent ? undefined : address('198.51.100.7', 5)));
    await answers(made, 'www.example.com');
    silent = true;
    await made.clock.advance(60_000);
    expect(await answers(made, 'www.example.com')).toEqual(['A 198.51.100.7']);
    expect(read(await made.server.handle(ask('new.example.com', 'A'), local, signal)).rcode).toBe('SERVFAIL');
  });

  it('of a stub domain goes to the servers of the longest one', async () => {
    const made = world(() => address('198.51.100.7'), {
      stubDomains: '{"corp": ["198.51.100.1"], "deep.corp": ["198.51.100.2:5353"]}',
      upstreamNameservers: '["203.0.113.1"]',
    });
    for (const name of ['a.corp', 'a.deep.corp', 'acorp', 'www.example.com']) await answers(made, name);
    expect(made.asked.map((one) => one.split(' ')[0])).toEqual([
      '198.51.100.1',
      '198.51.100.2',
      '203.0.113.1',
      '203.0.113.1',
    ]);
  });

  it("of the hosts of one's own is answered from there, both ways", async () => {
    const made = world(nothing, { hosts: '192.0.2.5 printer printer.corp # first floor\nfd00::5 printer\n' });
    expect(await answers(made, 'printer')).toEqual(['A 192.0.2.5']);
    expect(await answers(made, 'printer', 'AAAA')).toEqual(['AAAA fd00::5']);
    expect(await answers(made, 'printer.corp', 'AAAA')).toEqual([]);
    expect(await answers(made, '5.2.0.192.in-addr.arpa', 'PTR')).toEqual(['PTR printer', 'PTR printer.corp']);
    expect(made.asked).toEqual([]);
  });
});

describe('a server that sends questions back', () => {
  it('is found, named and not asked any more', async () => {
    const made = world(nothing, {}, (server, packet) => {
      if (made.asked.at(-1)!.startsWith('192.0.2.2')) void server.handle(packet, local, signal);
    });
    const stop = new AbortController();
    made.probe.use([
      { address: '192.0.2.1', port: 53 },
      { address: '192.0.2.2', port: 53 },
    ]);
    const running = made.probe.run(stop.signal);
    await expect.poll(() => made.looping).toEqual([{ address: '192.0.2.2', port: 53 }]);
    stop.abort();
    await running;
    made.asked.length = 0;
    await answers(made, 'www.example.com');
    expect(new Set(made.asked.map((one) => one.split(' ')[0]))).toEqual(new Set(['192.0.2.1']));
  });
});

describe('whatever bytes come in', () => {
  const mutated = (seed: number, packet: Buffer): Buffer => {
    const dice = random(seed);
    const bytes = Buffer.from(
      packet.subarray(0, dice.below(4) === 0 ? dice.below(packet.length + 1) : packet.length),
    );
    for (let change = dice.below(6); change > 0 && bytes.length > 0; change -= 1)
      bytes[dice.below(bytes.length)] = dice.below(256);
    return bytes;
  };

  it('the server goes on, and what it answers can be read and fits', async () => {
    const names = ['web.shop.svc.cluster.local', '_http._tcp.many.shop.svc.cluster.local', 'x'.repeat(63)];
    const made = world(() => address('198.51.100.7'));
    for (let seed = 1; seed <= 6_000; seed += 1) {
      const packet = mutated(seed, ask(names[seed % 3]!, seed % 2 === 0 ? 'SRV' : 'A'));
      try {
        const response = await made.server.handle(packet, local, signal);
        if (response === undefined) continue;
        expect(response.length).toBeLessThanOrEqual(1_232);
        expect(response.readUInt16BE(0)).toBe(packet.readUInt16BE(0));
        expect(decode(response).type).toBe('response');
      } catch (error) {
        throw new Error(`seed ${seed}: ${packet.toString('hex')}`, { cause: error });
      }
    }
  });

  it('of another server, nothing wrong is handed on', async () => {
    const base = encode({
      type: 'response',
      questions: [{ name: 'www.example.com', type: 'A' }],
      answers: [{ type: 'A', name: 'www.example.com', ttl: 60, data: '198.51.100.7' }],
      additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] } as never],
    });
    const made = world(nothing);
    for (let seed = 1; seed <= 3_000; seed += 1) {
      const bytes = mutated(seed, base);
      const counters = new DnsCounters();
      const upstream = {
        exchange: ({ accepts }: Exchange) =>
          bytes.length >= 12 && accepts(bytes) ? Promise.resolve(bytes) : Promise.reject(new Error('late')),
      };
      const forwarder = new Forwarder({ upstream, clock: new ManualClock(0), counters, cacheEntries: 10 });
      const server = new DnsServer({
        zone,
        forwarder,
        loops: made.probe,
        counters,
        config: () => readDnsConfig(undefined).config,
        upstreams: () => [{ address: '192.0.2.1', port: 53 }],
        serves: () => true,
      });
      const response = await server.handle(ask('www.example.com', 'A'), local, signal);
      try {
        expect(response!.length).toBeLessThanOrEqual(512);
        expect(response!.readUInt16BE(0)).toBe(4711);
        expect(response!.subarray(12, 33)).toEqual(ask('www.example.com', 'A').subarray(12, 33));
      } catch (error) {
        throw new Error(`seed ${seed}: ${bytes.toString('hex')}`, { cause: error });
      }
    }
  });
});

describe('the ConfigMap', () => {
  it('is in force as far as it can be read, and the rest is said', () => {
    const { config, problems } = readDnsConfig({
      data: {
        stubDomains: '{"corp.": ["198.51.100.1", "nowhere"]}',
        upstreamNameservers: 'oops',
        hosts: '192.0.2.5\nx y',
        zone: '',
      },
    });
    expect(config.stubDomains.get('corp')).toEqual([{ address: '198.51.100.1', port: 53 }]);
    expect(config.upstreams).toBeUndefined();
    expect(problems).toHaveLength(5);
  });
});
