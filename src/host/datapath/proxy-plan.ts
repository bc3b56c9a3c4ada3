// One step of the proxy's tables: operations on maps and chains, and how nft is told of them in one transaction.
import type { Backend, Protocol } from '../../network/datapath.js';

/** A chain of one frontend's own: shares that are not all the same, or clients that stay with their backend. */
export interface OwnChain {
  readonly name: string;
  readonly protocol: Protocol;
  readonly backends: readonly Backend[];
  readonly affinitySeconds: number | undefined;
}

export type Operation =
  | { readonly do: 'delete element'; readonly map: string; readonly key: string }
  | { readonly do: 'add element'; readonly map: string; readonly key: string; readonly value?: string }
  | { readonly do: 'own chain'; readonly chain: OwnChain; readonly previous: OwnChain | undefined }
  | { readonly do: 'delete own chain'; readonly chain: OwnChain };

export const backendText = ({ address, port }: Backend): string => `${address} . ${String(port)}`;

/** Names hold letters, digits, dots and dashes. */
const memberName = (chain: OwnChain, { address, port }: Backend): string =>
  `${chain.name}-${address}-${String(port)}`;

/** `0-49 : a, 50-79 : b`: each value's share of the numbers below the sum. */
const shares = (backends: readonly Backend[], value: (backend: Backend) => string): string => {
  let next = 0;
  return backends
    .map((backend) => {
      const first = next;
      next += backend.weight;
      const range = backend.weight === 1 ? String(first) : `${String(first)}-${String(next - 1)}`;
      return `${range} : ${value(backend)}`;
    })
    .join(', ');
};

const total = (backends: readonly Backend[]): number => backends.reduce((sum, { weight }) => sum + weight, 0);

const dnat = (protocol: Protocol, to: string): string => `meta l4proto ${protocol} dnat ip to ${to}`;

const plainRules = ({ protocol, backends }: OwnChain): readonly string[] => [
  dnat(protocol, `numgen random mod ${String(total(backends))} map { ${shares(backends, backendText)} }`),
];

/** A client goes where it went before, as long as that backend is there; each visit starts its time anew. */
const affinityRules = (chain: OwnChain): readonly string[] => [
  ...chain.backends.map((backend) => {
    const member = memberName(chain, backend);
    return `ip saddr @${member} goto ${member}`;
  }),
  `numgen random mod ${String(total(chain.backends))} vmap { ${shares(chain.backends, (backend) => `goto ${memberName(chain, backend)}`)} }`,
];

/** Clients that one backend remembers. */
const rememberedClients = 65_536;

const hasAffinity = (chain: OwnChain | undefined): chain is OwnChain & { readonly affinitySeconds: number } =>
  chain?.affinitySeconds !== undefined;

const memberNames = (chain: OwnChain | undefined): ReadonlySet<string> =>
  new Set(hasAffinity(chain) ? chain.backends.map((backend) => memberName(chain, backend)) : []);

/** `before` what uses it, and `after` the uses of what goes are gone. */
interface Text {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const newMembers = (table: string, chain: OwnChain, present: ReadonlySet<string>): readonly string[] => {
  const seconds = chain.affinitySeconds;
  if (seconds === undefined) return [];
  return chain.backends.flatMap((backend) => {
    const member = memberName(chain, backend);
    if (present.has(member)) return [];
    const timeout = `timeout ${String(seconds)}s`;
    return [
      `add set ip ${table} ${member} { type ipv4_addr; flags dynamic,timeout; ${timeout}; size ${String(rememberedClients)}; }`,
      `add chain ip ${table} ${member}`,
      `add rule ip ${table} ${member} update @${member} { ip saddr ${timeout} } ${dnat(chain.protocol, `${backend.address}:${String(backend.port)}`)}`,
    ];
  });
};

const oldMembers = (table: string, names: Iterable<string>): readonly string[] =>
  [...names].flatMap((member) => [
    `flush chain ip ${table} ${member}`,
    `delete chain ip ${table} ${member}`,
    `delete set ip ${table} ${member}`,
  ]);

/** The timeout is part of a set's shape: with another one, members are made anew under the same names elsewhere. */
const ownChainText = (table: string, chain: OwnChain, previous: OwnChain | undefined): Text => {
  const present = memberNames(previous);
  const wanted = memberNames(chain);
  const rules = hasAffinity(chain) ? affinityRules(chain) : plainRules(chain);
  return {
    before: [
      ...newMembers(table, chain, present),
      `add chain ip ${table} ${chain.name}`,
      `flush chain ip ${table} ${chain.name}`,
      ...rules.map((rule) => `add rule ip ${table} ${chain.name} ${rule}`),
    ],
    after: oldMembers(
      table,
      [...present].filter((name) => !wanted.has(name)),
    ),
  };
};

const elements = (table: string, operations: readonly Operation[]): readonly string[] => {
  const removed = new Map<string, string[]>();
  const added = new Map<string, string[]>();
  const put = (to: Map<string, string[]>, map: string, text: string): void => {
    const list = to.get(map);
    if (list === undefined) to.set(map, [text]);
    else list.push(text);
  };
  for (const operation of operations) {
    if (operation.do === 'delete element') put(removed, operation.map, operation.key);
    if (operation.do === 'add element')
      put(
        added,
        operation.map,
        operation.value === undefined ? operation.key : `${operation.key} : ${operation.value}`,
      );
  }
  const lines = (verb: string, of: Map<string, string[]>): readonly string[] =>
    [...of].map(([map, texts]) => `${verb} element ip ${table} ${map} { ${texts.join(', ')} }`);
  return [...lines('delete', removed), ...lines('add', added)];
};

/** Chains first, then the elements that lead to them, then the end of what nothing leads to any more. */
export const transactionText = (table: string, operations: readonly Operation[]): readonly string[] => {
  const before: string[] = [];
  const after: string[] = [];
  for (const operation of operations) {
    if (operation.do === 'own chain') {
      const text = ownChainText(table, operation.chain, operation.previous);
      before.push(...text.before);
      after.push(...text.after);
    }
    if (operation.do === 'delete own chain') {
      const { chain } = operation;
      after.push(
        `flush chain ip ${table} ${chain.name}`,
        `delete chain ip ${table} ${chain.name}`,
        ...oldMembers(table, memberNames(chain)),
      );
    }
  }
  return [...before, ...elements(table, operations), ...after];
};
