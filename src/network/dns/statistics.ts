// What the server counts, for the node's metrics.

export interface DnsStatistics {
  /** By transport and type of the question. */
  readonly questions: ReadonlyMap<string, number>;
  /** By result: `NOERROR`. */
  readonly responses: ReadonlyMap<string, number>;
  /** By name server. */
  readonly forwarded: ReadonlyMap<string, number>;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly cacheEntries: number;
  /** Name servers that send questions back to here. */
  readonly loops: number;
}

const ordinaryTypes: ReadonlySet<string> = new Set([
  ...['A', 'AAAA', 'CNAME', 'HTTPS', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'],
]);

const add = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

export class DnsCounters implements DnsStatistics {
  readonly questions = new Map<string, number>();
  readonly responses = new Map<string, number>();
  readonly forwarded = new Map<string, number>();
  cacheHits = 0;
  cacheMisses = 0;
  cacheEntries = 0;
  loops = 0;

  /** Types that clients make up share one counter. */
  question(transport: 'udp' | 'tcp', type: string): void {
    add(this.questions, `${transport} ${ordinaryTypes.has(type) ? type : 'other'}`);
  }

  response(rcode: string): void {
    add(this.responses, rcode);
  }

  forward(server: string): void {
    add(this.forwarded, server);
  }
}
