// The nftables table of network policies: its constant part, and the commands from one state to the next. Chains and
// sets are named by their content, so that nothing is ever rewritten: what is new is made, what is unused goes.
import { addressText } from '../../base/ipv4.js';
import type { PolicyRule, PolicySet, PolicyState, PortMatch } from '../../network/policy/policy-state.js';

/** Pods to which policies apply, and each such pod with itself. */
const closedSet = 'closed';
const selfSet = 'self';
const directions = ['ingress', 'egress'] as const;

const setType = (set: PolicySet): string => {
  switch (set.type) {
    case 'addresses':
      return 'type ipv4_addr;';
    case 'ranges':
      return 'type ipv4_addr; flags interval;';
    case 'ports':
      return 'type ipv4_addr . inet_proto . inet_service;';
  }
};

const elementsOf = (set: PolicySet): readonly string[] =>
  set.type === 'ranges'
    ? set.ranges.map(([first, last]) =>
        first === last ? addressText(first) : `${addressText(first)}-${addressText(last)}`,
      )
    : [...set.elements];

const portsText = (matches: readonly PortMatch[]): readonly string[] => {
  const byProtocol = new Map<string, string[]>();
  const named: string[] = [];
  for (const match of matches) {
    if ('named' in match) named.push(`ip daddr . meta l4proto . th dport @${match.named}`);
    else {
      const ports = byProtocol.get(match.protocol) ?? [];
      ports.push(match.first === match.last ? String(match.first) : `${match.first}-${match.last}`);
      byProtocol.set(match.protocol, ports);
    }
  }
  // One match for each: an anonymous set must not hold overlapping ranges.
  const numbered = [...byProtocol].flatMap(([protocol, ports]) =>
    ports.map((port) => `${protocol} dport ${port}`),
  );
  return [...numbered, ...named];
};

const ruleTexts = ({ peers, ports }: PolicyRule, direction: string): readonly string[] => {
  const side = direction === 'ingress' ? 'ip saddr' : 'ip daddr';
  const from = peers === undefined ? '' : `${side} @${peers} `;
  return (ports === undefined ? [''] : portsText(ports).map((text) => `${text} `)).map(
    (text) => `${from}${text}return`,
  );
};

const classLines = (table: string, name: string, rules: readonly PolicyRule[]): readonly string[] => {
  const [direction = ''] = name.split('-');
  return [
    `add chain ip ${table} ${name}`,
    ...[...rules.flatMap((rule) => ruleTexts(rule, direction)), 'drop'].map(
      (rule) => `add rule ip ${table} ${name} ${rule}`,
    ),
  ];
};

/**
 * A packet in the middle of a TCP connection that the kernel does not track belongs to one that was ended here: whatever
 * its direction, it must not open the connection again, with the other end as the one that opened it.
 */
const onlyOpening = 'tcp flags & (fin | syn | rst | ack) != syn';

/** The whole table without any pod in it, made or emptied. */
export const emptyTable = (table: string): readonly string[] => [
  `add table ip ${table}`,
  `delete table ip ${table}`,
  `table ip ${table} {`,
  `set ${closedSet} { type ipv4_addr; }`,
  `set ${selfSet} { type ipv4_addr . ipv4_addr; }`,
  ...directions.map((direction) => `map ${direction} { type ipv4_addr : verdict; }`),
  // After the translation of services: a pod sees, and is seen by, the other pod.
  'chain forward { type filter hook forward priority filter; policy accept; }',
  '}',
  ...[
    'ct state established,related accept',
    // A pod reaches itself, also through a service.
    `ip saddr . ip daddr @${selfSet} accept`,
    ...['ip saddr', 'ip daddr'].map((side) => `${onlyOpening} ${side} @${closedSet} drop`),
    'ip saddr vmap @egress',
    'ip daddr vmap @ingress',
  ].map((rule) => `add rule ip ${table} forward ${rule}`),
];

const elementLine = (
  verb: 'add' | 'delete',
  place: string,
  elements: readonly string[],
): readonly string[] =>
  elements.length === 0 ? [] : [`${verb} element ip ${place} { ${elements.join(', ')} }`];

const minus = (a: Iterable<string>, b: { has(key: string): boolean }): readonly string[] =>
  [...a].filter((key) => !b.has(key));

const setLines = (table: string, before: PolicyState, after: PolicyState): readonly string[] =>
  [...after.sets].flatMap(([name, set]) => {
    const known = before.sets.get(name);
    const place = `${table} ${name}`;
    if (known === undefined)
      return [
        `add set ip ${table} ${name} { ${setType(set)} }`,
        ...elementLine('add', place, elementsOf(set)),
      ];
    if (set.type === 'ranges' || known.type === 'ranges') return [];
    return [
      ...elementLine('delete', place, minus(known.elements, set.elements)),
      ...elementLine('add', place, minus(set.elements, known.elements)),
    ];
  });

const mapLines = (table: string, before: PolicyState, after: PolicyState): readonly string[] =>
  directions.flatMap((direction) => {
    const [old, next] = [before[direction], after[direction]];
    const gone = [...old.keys()].filter((address) => next.get(address) !== old.get(address));
    const come = [...next].filter(([address, name]) => old.get(address) !== name);
    return [
      ...elementLine('delete', `${table} ${direction}`, gone),
      ...elementLine(
        'add',
        `${table} ${direction}`,
        come.map(([address, name]) => `${address} : jump ${name}`),
      ),
    ];
  });

const closedLines = (table: string, before: PolicyState, after: PolicyState): readonly string[] => {
  const closed = ({ ingress, egress }: PolicyState): ReadonlySet<string> =>
    new Set([...ingress.keys(), ...egress.keys()]);
  const gone = minus(closed(before), closed(after));
  const come = minus(closed(after), closed(before));
  const itself = (address: string): string => `${address} . ${address}`;
  return [
    ...elementLine('delete', `${table} ${closedSet}`, gone),
    ...elementLine('delete', `${table} ${selfSet}`, gone.map(itself)),
    ...elementLine('add', `${table} ${closedSet}`, come),
    ...elementLine('add', `${table} ${selfSet}`, come.map(itself)),
  ];
};

/** One transaction; empty when nothing differs. */
export const policyTransaction = (
  table: string,
  before: PolicyState,
  after: PolicyState,
): readonly string[] => [
  ...setLines(table, before, after),
  ...[...after.classes].flatMap(([name, rules]) =>
    before.classes.has(name) ? [] : classLines(table, name, rules),
  ),
  ...closedLines(table, before, after),
  ...mapLines(table, before, after),
  ...minus(before.classes.keys(), after.classes).map((name) => `delete chain ip ${table} ${name}`),
  ...minus(before.sets.keys(), after.sets).map((name) => `delete set ip ${table} ${name}`),
];
