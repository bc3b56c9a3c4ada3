// The text of a pod's /etc/hosts and /etc/resolv.conf.
import type { Pod } from '../resources/generated/types.js';
import { hostnameOf } from './container-spec.js';

export interface ClusterDns {
  readonly nameservers: readonly string[];
  /** `cluster.local`. */
  readonly domain: string;
}

const aliasLines = ({ spec }: Pod): string => {
  const lines = (spec.hostAliases ?? []).map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}`);
  return lines.length === 0 ? '' : `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`;
};

/** `nodeHosts` is the node's own file: what a pod in the host's network gets. */
export const hostsFile = (pod: Pod, podIP: string | undefined, nodeHosts: string): string => {
  if (podIP === undefined) return `${nodeHosts.trimEnd()}\n${aliasLines(pod)}`;
  const { subdomain } = pod.spec;
  const name = hostnameOf(pod);
  const full =
    subdomain === undefined || subdomain === ''
      ? name
      : `${name}.${subdomain}.${pod.metadata.namespace ?? ''}.svc.cluster.local\t${name}`;
  return `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
${podIP}\t${full}
${aliasLines(pod)}`;
};

interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

const parse = (text: string): Resolver => {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const values = (keyword: string): readonly string[] =>
    lines.flatMap(([first, ...rest]) => (first === keyword ? rest : []));
  return { nameservers: values('nameserver'), searches: values('search'), options: values('options') };
};

/** In a pod the node's loopback is not the node: a stub resolver there cannot be reached. */
const reachable = (nameserver: string): boolean => !/^(127\.|::1$)/.test(nameserver);

const baseOf = (pod: Pod, node: Resolver, dns: ClusterDns | undefined): Resolver => {
  const { dnsPolicy = 'ClusterFirst', hostNetwork } = pod.spec;
  const cluster =
    (dnsPolicy === 'ClusterFirst' && hostNetwork !== true) || dnsPolicy === 'ClusterFirstWithHostNet';
  if (dnsPolicy === 'None') return { nameservers: [], searches: [], options: [] };
  if (!cluster || dns === undefined)
    return hostNetwork === true ? node : { ...node, nameservers: node.nameservers.filter(reachable) };
  const { domain } = dns;
  return {
    nameservers: dns.nameservers,
    searches: [`${pod.metadata.namespace ?? ''}.svc.${domain}`, `svc.${domain}`, domain, ...node.searches],
    options: ['ndots:5'],
  };
};

export const resolvConf = (pod: Pod, nodeFile: string, dns: ClusterDns | undefined): string => {
  const base = baseOf(pod, parse(nodeFile), dns);
  const extra = pod.spec.dnsConfig;
  const nameservers = [...new Set([...base.nameservers, ...(extra?.nameservers ?? [])])];
  const searches = [...new Set([...base.searches, ...(extra?.searches ?? [])])];
  const options = [
    ...base.options,
    ...(extra?.options ?? []).map(({ name = '', value }) =>
      value === undefined ? name : `${name}:${value}`,
    ),
  ];
  return [
    ...(searches.length === 0 ? [] : [`search ${searches.join(' ')}`]),
    ...nameservers.map((nameserver) => `nameserver ${nameserver}`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
    '',
  ].join('\n');
};
