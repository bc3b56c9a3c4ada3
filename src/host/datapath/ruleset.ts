// The names and the constant part of Capstan's nftables table. A service is a few elements of maps that all services
// share, so that the cost of a change does not grow with what is there: a verdict map names, for an address, protocol
// and port, the chain that chooses among as many slots as the service has; an endpoint map holds the slots.

/** Of one table; a scope is one way to reach a service, with maps and chains of its own. */
export const scopes = ['vip', 'port', 'outside-vip', 'outside-port'] as const;
export type Scope = (typeof scopes)[number];

export const verdictMap = (scope: Scope): string => `${scope}-services`;
export const endpointMap = (scope: Scope): string => `${scope}-endpoints`;
export const pickChain = (scope: Scope, slots: number): string => `${scope}-pick-${String(slots)}`;
/** Services of more backends than this choose in a chain of their own. */
export const mostSlots = 64;
export const refuseChain = 'refuse';
export const hairpinSet = 'hairpin';
export const foreignSet = 'foreign-backends';
/** What other installations on this machine read of this one. */
export const podsSet = 'pod-network';
export const servicesSet = 'service-network';

export interface TableOptions {
  readonly table: string;
  /** Of all pods of the cluster. */
  readonly podCidr: string;
  /** Of cluster addresses of services. */
  readonly serviceCidr: string;
}

/** An empty chain that says which shape the table has, and for which networks: one of another shape is made anew. */
export const layoutChain = ({ podCidr, serviceCidr }: TableOptions): string =>
  `layout-2-${podCidr}-${serviceCidr}`;

const isPort = (scope: Scope): boolean => scope === 'port' || scope === 'outside-port';
const lookupKey = (scope: Scope): string =>
  isPort(scope) ? 'meta l4proto . th dport' : 'ip daddr . meta l4proto . th dport';

const keyTypes = (scope: Scope): string =>
  isPort(scope) ? 'inet_proto . inet_service' : 'ipv4_addr . inet_proto . inet_service';

const declarations = ({ podCidr, serviceCidr }: TableOptions): readonly string[] => [
  ...scopes.flatMap((scope) => [
    `map ${verdictMap(scope)} { type ${keyTypes(scope)} : verdict; }`,
    `map ${endpointMap(scope)} { typeof ${lookupKey(scope)} . numgen random mod 65536 : ip daddr . th dport; }`,
  ]),
  `set ${hairpinSet} { type ipv4_addr . ipv4_addr; }`,
  `set ${foreignSet} { type ipv4_addr . inet_proto . inet_service; }`,
  `set ${podsSet} { type ipv4_addr; flags interval; elements = { ${podCidr} }; }`,
  `set ${servicesSet} { type ipv4_addr; flags interval; elements = { ${serviceCidr} }; }`,
];

const slotCounts: readonly number[] = Array.from({ length: mostSlots }, (_, index) => index + 1);
const pickChains: readonly string[] = scopes.flatMap((scope) =>
  slotCounts.map((slots) => pickChain(scope, slots)),
);
const plainChains = (options: TableOptions): readonly string[] => [
  layoutChain(options),
  refuseChain,
  'services',
  'from-network',
  'from-node',
  'outside',
  ...pickChains,
];
const baseChains: readonly (readonly [string, string])[] = [
  ['prerouting', 'type nat hook prerouting priority dstnat; policy accept;'],
  ['output', 'type nat hook output priority -100; policy accept;'],
  ['postrouting', 'type nat hook postrouting priority srcnat; policy accept;'],
];

const portGuard = 'fib daddr type local ip daddr != 127.0.0.0/8';

const dispatch = (scope: Scope): string =>
  `${isPort(scope) ? `${portGuard} ` : ''}meta l4proto { tcp, udp } ${lookupKey(scope)} vmap @${verdictMap(scope)}`;

const pickRule = (scope: Scope, slots: number): string =>
  `meta l4proto { tcp, udp } dnat ip to ${lookupKey(scope)} . numgen random mod ${String(slots)} map @${endpointMap(scope)}`;

/**
 * Chooses among `slots` slots. A packet in flight while the number of slots shrinks may miss: slot 0 is there as long as
 * the service has any.
 */
const pickRules = (scope: Scope, slots: number): readonly (readonly [string, string])[] => [
  [pickChain(scope, slots), pickRule(scope, slots)],
  ...(slots === 1 ? [] : [[pickChain(scope, slots), `goto ${pickChain(scope, 1)}`] as const]),
];

const constantRules = ({ podCidr, serviceCidr }: TableOptions): readonly (readonly [string, string])[] => [
  [refuseChain, 'meta l4proto tcp reject with tcp reset'],
  [refuseChain, 'reject with icmp type port-unreachable'],
  ...scopes.flatMap((scope) => slotCounts.flatMap((slots) => pickRules(scope, slots))),
  ['services', dispatch('vip')],
  ['services', dispatch('port')],
  // An address of the service network that nobody has would wander to the default gateway and time out.
  ['services', `ip daddr ${serviceCidr} goto ${refuseChain}`],
  ['outside', dispatch('outside-vip')],
  ['outside', dispatch('outside-port')],
  ['from-network', `ip saddr != ${podCidr} jump outside`],
  ['from-network', 'goto services'],
  ['from-node', 'goto services'],
  ['prerouting', 'goto from-network'],
  ['output', 'goto from-node'],
];

/**
 * Sources: pods see each other's own addresses; what leaves the pod network takes the node's. Traffic that comes from
 * outside and was sent on to another node takes this node's address, so that answers come back this way.
 */
const postroutingRules = ({ podCidr }: TableOptions, subnet: string | undefined): readonly string[] => [
  `ct status dnat ip saddr . ip daddr @${hairpinSet} masquerade`,
  ...(subnet === undefined
    ? [`ct status dnat ip saddr != ${podCidr} ip daddr ${podCidr} masquerade`]
    : [
        `ct status dnat ip saddr != ${podCidr} ip daddr ${podCidr} ip daddr != ${subnet} masquerade`,
        `ip saddr ${subnet} ip daddr != ${podCidr} ip daddr != 224.0.0.0/4 masquerade`,
      ]),
  `ct status dnat oifname != "lo" ip saddr != ${podCidr} ip daddr . meta l4proto . th dport @${foreignSet} masquerade`,
];

/**
 * Makes the table with its constant rules. These are never written again: nft 1.0.6 takes no new rule for a map of
 * concatenated values that it did not declare in the same transaction ("conflicting protocols specified").
 */
export const newTable = (options: TableOptions): readonly string[] => [
  `table ip ${options.table} {`,
  ...declarations(options),
  ...plainChains(options).map((chain) => `chain ${chain} { }`),
  ...baseChains.map(([chain, hook]) => `chain ${chain} { ${hook} }`),
  '}',
  ...constantRules(options).map(([chain, rule]) => `add rule ip ${options.table} ${chain} ${rule}`),
];

/** What is there in any table of this layout. */
export const permanentChains = (options: TableOptions): ReadonlySet<string> =>
  new Set([...plainChains(options), ...baseChains.map(([chain]) => chain)]);

/** The rules that know the node's own subnet. */
export const localPart = (options: TableOptions, subnet: string | undefined): readonly string[] => [
  `flush chain ip ${options.table} postrouting`,
  ...postroutingRules(options, subnet).map((rule) => `add rule ip ${options.table} postrouting ${rule}`),
];

export const everyMap: readonly string[] = scopes.flatMap((scope) => [verdictMap(scope), endpointMap(scope)]);
export const everySet: readonly string[] = [hairpinSet, foreignSet];

/**
 * Commands that the kernel refuses as long as the constant rules stand, because a rule uses what they would delete: the
 * way to ask for rules without reading the maps.
 */
export const heldCommands = (table: string): readonly string[] => [
  ...everyMap.map((map) => `delete map ip ${table} ${map}`),
  ...everySet.map((set) => `delete set ip ${table} ${set}`),
  // Callees first: the kernel drops a chain's rules before it finds the chain itself in use.
  ...[refuseChain, 'outside', 'services', 'from-network', 'from-node'].map(
    (chain) => `delete chain ip ${table} ${chain}`,
  ),
];
