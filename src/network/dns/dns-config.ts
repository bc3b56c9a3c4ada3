// The ConfigMap kube-system/capstan-dns -> zones of one's own. `stubDomains` and `upstreamNameservers` are JSON, as
// kube-dns has them; `hosts` is text as in /etc/hosts.
import { addressNumber } from '../../base/ipv4.js';
import { isObject } from '../../base/json.js';
import type { ConfigMap } from '../../resources/generated/types.js';

export const dnsConfigName = { namespace: 'kube-system', name: 'capstan-dns' } as const;

export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

export interface DnsConfig {
  /** Servers of a domain and everything below it. */
  readonly stubDomains: ReadonlyMap<string, readonly ServerAddress[]>;
  /** Undefined: the node's own. */
  readonly upstreams: readonly ServerAddress[] | undefined;
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

export const emptyDnsConfig: DnsConfig = { stubDomains: new Map(), upstreams: undefined, hosts: new Map() };

const isAddress = (text: string): boolean =>
  addressNumber(text) !== undefined || (/^[\da-fA-F:.]+$/.test(text) && text.includes(':'));

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`. */
export const parseServer = (text: string): ServerAddress | undefined => {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  const plain = /^([\d.]+)(?::(\d+))?$/.exec(text);
  const address = bracketed?.[1] ?? plain?.[1] ?? text;
  const port = Number(bracketed?.[2] ?? plain?.[2] ?? 53);
  return isAddress(address) && port > 0 && port < 65_536 ? { address, port } : undefined;
};

const normal = (name: string): string => name.toLowerCase().replace(/^\.+|\.+$/g, '');

class Reader {
  readonly problems: string[] = [];

  servers(where: string, value: unknown): readonly ServerAddress[] {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.flatMap((one) => {
      const server = typeof one === 'string' ? parseServer(one) : undefined;
      if (server !== undefined) return [server];
      this.problems.push(
        `${where}: ${JSON.stringify(one)} is no address of a name server, such as "192.0.2.1:53"`,
      );
      return [];
    });
  }

  json(key: string, text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      this.problems.push(`${key}: is no JSON`);
      return undefined;
    }
  }

  stubDomains(text: string): DnsConfig['stubDomains'] {
    const value = this.json('stubDomains', text);
    if (value === undefined) return new Map();
    if (!isObject(value)) {
      this.problems.push('stubDomains: must be an object of domains, each with a list of name servers');
      return new Map();
    }
    return new Map(
      Object.entries(value).map(([domain, servers]) => [
        normal(domain),
        this.servers(`stubDomains.${domain}`, servers),
      ]),
    );
  }

  upstreams(text: string): DnsConfig['upstreams'] {
    const value = this.json('upstreamNameservers', text);
    if (value === undefined) return undefined;
    const servers = this.servers('upstreamNameservers', value);
    return servers.length === 0 ? undefined : servers;
  }

  hosts(text: string): DnsConfig['hosts'] {
    const hosts = new Map<string, readonly string[]>();
    for (const [index, line] of text.split('\n').entries()) {
      const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
      if (address === '') continue;
      if (!isAddress(address) || names.length === 0) {
        this.problems.push(`hosts, line ${index + 1}: must be an address and names`);
        continue;
      }
      for (const name of names.map(normal)) hosts.set(name, [...(hosts.get(name) ?? []), address]);
    }
    return hosts;
  }
}

/** What can be read is in force; the rest is said. */
export const readDnsConfig = (
  map: Pick<ConfigMap, 'data'> | undefined,
): { readonly config: DnsConfig; readonly problems: readonly string[] } => {
  const { stubDomains, upstreamNameservers, hosts, ...others } = map?.data ?? {};
  const reader = new Reader();
  const config: DnsConfig = {
    stubDomains: stubDomains === undefined ? new Map() : reader.stubDomains(stubDomains),
    upstreams: upstreamNameservers === undefined ? undefined : reader.upstreams(upstreamNameservers),
    hosts: hosts === undefined ? new Map() : reader.hosts(hosts),
  };
  const unknown = Object.keys(others).map(
    (key) => `${key}: unknown; known keys are stubDomains, upstreamNameservers and hosts`,
  );
  return { config, problems: [...reader.problems, ...unknown] };
};

/** Name servers of a resolv.conf. */
export const nameserversOf = (text: string): readonly ServerAddress[] =>
  text.split('\n').flatMap((line) => {
    const [keyword, address = ''] = line.trim().split(/\s+/);
    const server = keyword === 'nameserver' ? parseServer(address) : undefined;
    return server === undefined ? [] : [server];
  });
