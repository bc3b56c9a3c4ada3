import { describe, expect, it } from 'vitest';
import { parseConnection } from '../../../../src/host/datapath/connections.js';
import { emptyTable, policyTransaction } from '../../../../src/host/datapath/policy-rules.js';
import { compilePolicies } from '../../../../src/network/policy/compile.js';
import { emptyPolicyState, forbids } from '../../../../src/network/policy/policy-state.js';
import type { PolicyState } from '../../../../src/network/policy/policy-state.js';
import { blockRanges } from '../../../../src/network/policy/ranges.js';
import type {
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
} from '../../../../src/resources/generated/types.js';
import { random, type Random } from '../random.js';
import { addressOf, namespace, pod, policy, specified, type Side, type World } from './policy-fixtures.js';
import { PolicyModel } from './policy-model.js';

const web = pod('web', '10.244.1.2', {
  labels: { app: 'web' },
  ports: [{ name: 'http', containerPort: 8080 }],
});
const db = pod('db', '10.244.2.3', { labels: { app: 'db' }, node: 'n2' });
const other = pod('other', '10.244.2.4', { namespace: 'b', node: 'n2' });
const world = (...policies: NetworkPolicy[]): World => ({
  policies,
  pods: [web, db, other],
  namespaces: [namespace('a'), namespace('b', { team: 'blue' })],
});
const state = (...policies: NetworkPolicy[]): PolicyState => compilePolicies(world(...policies), 'n1');
const passes = (on: PolicyState, from: Side, to: Side, port = 8080, protocol = 'tcp'): boolean =>
  !forbids(on, { source: addressOf(from), destination: addressOf(to), protocol, port });

describe('policies', () => {
  it('leave pods alone that none selects', () => {
    const on = state(policy('p', { podSelector: { matchLabels: { app: 'db' } } }));
    expect(on).toEqual(emptyPolicyState);
    expect(passes(on, other, web)).toBe(true);
  });

  it('that select a pod and allow nothing close it in that direction, and the other one stays open', () => {
    const on = state(policy('deny', { podSelector: {}, policyTypes: ['Ingress'] }));
    expect(passes(on, db, web)).toBe(false);
    expect(passes(on, '192.0.2.1', web)).toBe(false);
    expect(passes(on, web, db)).toBe(true);
    expect(passes(on, web, web)).toBe(true);
  });

  it('close egress too when they speak of it, unless they name their types', () => {
    expect(passes(state(policy('p', { egress: [] })), web, db)).toBe(false);
    expect(passes(state(policy('p', { egress: [], policyTypes: ['Ingress'] })), web, db)).toBe(true);
  });

  it('add up: what one of them allows is allowed', () => {
    const on = state(
      policy('deny', {}),
      policy('db', { ingress: [{ from: [{ podSelector: { matchLabels: { app: 'db' } } }] }] }),
      policy('blue', {
        ingress: [
          { from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }], ports: [{ port: 'http' }] },
        ],
      }),
    );
    expect(passes(on, db, web, 1)).toBe(true);
    expect(passes(on, other, web, 8080)).toBe(true);
    expect(passes(on, other, web, 1)).toBe(false);
  });

  it("do not know pods of the node's network, and pods that have ended", () => {
    const ended: Pod = { ...db, status: { phase: 'Succeeded', podIP: '10.244.2.3' } };
    const host = pod('host', '10.77.0.1', { labels: { app: 'db' }, host: true });
    const objects = {
      ...world(policy('p', { ingress: [{ from: [{ podSelector: {} }] }] })),
      pods: [web, ended, host],
    };
    const on = compilePolicies(objects, 'n1');
    expect(passes(on, '10.244.2.3', web)).toBe(false);
    expect(passes(on, '10.77.0.1', web)).toBe(false);
    expect(passes(on, web, host)).toBe(true);
  });

  it('that say the same share one class, and peers that are the same share one set', () => {
    const peers = [{ podSelector: { matchLabels: { app: 'db' } } }];
    const on = state(
      policy('one', { ingress: [{ from: peers }], egress: [{ to: peers }] }),
      policy('two', { ingress: [{ from: peers }] }),
    );
    expect(on.classes.size).toBe(2);
    expect(on.sets.size).toBe(1);
  });
});

describe('a block of addresses', () => {
  it.each([
    [{ cidr: '10.0.0.0/30' }, [[0x0a000000, 0x0a000003]]],
    [{ cidr: '10.0.0.5/30' }, [[0x0a000004, 0x0a000007]]],
    [
      { cidr: '10.0.0.0/29', except: ['10.0.0.2/31', '10.0.0.4/32'] },
      [
        [0x0a000000, 0x0a000001],
        [0x0a000005, 0x0a000007],
      ],
    ],
    [{ cidr: '10.0.0.0/30', except: ['10.0.0.0/30'] }, []],
    [{ cidr: '0.0.0.0/0' }, [[0, 0xffffffff]]],
    [{ cidr: 'fd00::/8' }, []],
  ])('%j -> %j', (block, ranges) => {
    expect(blockRanges(block)).toEqual(ranges);
  });
});

it('a pod that comes costs an element of each set that it is in', () => {
  const rules = policy('p', { ingress: [{ from: [{ podSelector: {} }] }] });
  const before = compilePolicies({ ...world(rules), pods: [web, db] }, 'n1');
  const come = pod('new', '10.244.2.9', { node: 'n2' });
  const after = compilePolicies({ ...world(rules), pods: [web, db, come] }, 'n1');
  const [set = ''] = after.sets.keys();
  expect(policyTransaction('t', before, after)).toEqual([`add element ip t ${set} { 10.244.2.9 }`]);
  expect(policyTransaction('t', after, after)).toEqual([]);
});

it.each([
  [
    'tcp      6 431999 ESTABLISHED src=10.244.1.2 dst=10.96.0.10 sport=4711 dport=80 src=10.244.2.3 dst=10.244.1.2 sport=8080 dport=4711 [ASSURED] mark=0 use=1',
    { protocol: 'tcp', source: '10.244.1.2', destination: '10.244.2.3', port: 8080 },
  ],
  [
    'icmp     1 29 src=10.244.1.2 dst=10.244.2.3 type=8 code=0 id=7 src=10.244.2.3 dst=10.244.1.2 type=0 code=0 id=7 mark=0 use=1',
    { protocol: 'icmp', source: '10.244.1.2', destination: '10.244.2.3', port: 0 },
  ],
])('a tracked connection is read as pods see it: %s', (line, flow) => {
  expect(parseConnection(line)).toMatchObject(flow);
});

const labelOf = (dice: Random) => ({ app: ['web', 'db', 'cache'][dice.below(3)]! });
const randomPeer = (dice: Random): NetworkPolicyPeer => {
  switch (dice.below(4)) {
    case 0:
      return {
        ipBlock: {
          cidr: `10.244.${dice.below(3)}.0/${[16, 23, 24, 28][dice.below(4)]!}`,
          ...(dice.below(2) === 0
            ? { except: [`10.244.${dice.below(3)}.${dice.below(4) * 4}/30`, '10.244.1.5/32'] }
            : {}),
        },
      };
    case 1:
      return { podSelector: dice.below(3) === 0 ? {} : { matchLabels: labelOf(dice) } };
    case 2:
      return { namespaceSelector: dice.below(3) === 0 ? {} : { matchLabels: { team: 'blue' } } };
    default:
      return {
        namespaceSelector: {
          matchExpressions: [{ key: 'team', operator: dice.below(2) === 0 ? 'Exists' : 'DoesNotExist' }],
        },
        podSelector: { matchLabels: labelOf(dice) },
      };
  }
};
const randomPort = (dice: Random): NetworkPolicyPort => {
  const protocol = dice.below(3) === 0 ? 'UDP' : 'TCP';
  switch (dice.below(4)) {
    case 0:
      return { protocol };
    case 1:
      return { protocol, port: 80 + dice.below(4) };
    case 2:
      return { protocol, port: 80, endPort: 80 + dice.below(4) };
    default:
      return { protocol, port: 'http' };
  }
};
const some = <T>(dice: Random, most: number, make: (dice: Random) => T): T[] =>
  Array.from({ length: dice.below(most + 1) }, () => make(dice));
const randomPolicy = (dice: Random, index: number): NetworkPolicy => {
  const ingress = some(dice, 2, () => ({
    from: some(dice, 2, randomPeer),
    ports: some(dice, 2, randomPort),
  }));
  const egress = some(dice, 2, () => ({ to: some(dice, 2, randomPeer), ports: some(dice, 2, randomPort) }));
  return policy(
    `p${index}`,
    {
      podSelector: dice.below(3) === 0 ? {} : { matchLabels: labelOf(dice) },
      ...(dice.below(4) > 0 ? { ingress } : {}),
      ...(dice.below(2) === 0 ? { egress } : {}),
      ...(dice.below(3) === 0
        ? { policyTypes: [['Ingress'], ['Egress'], ['Ingress', 'Egress']][dice.below(3)]! }
        : {}),
    },
    ['a', 'b'][dice.below(2)],
  );
};
const randomPods = (dice: Random): Pod[] =>
  Array.from({ length: 9 }, (_, index) =>
    pod(`pod${index}`, `10.244.${index % 3}.${index}`, {
      namespace: ['a', 'b', 'c'][dice.below(3)]!,
      labels: labelOf(dice),
      node: `n${index % 3}`,
      host: dice.below(9) === 0,
      ports: dice.below(2) === 0 ? [{ name: 'http', containerPort: 80 + dice.below(3) }] : [],
    }),
  ).filter(() => dice.below(8) > 0);

it('whatever changes, the rules of both nodes together give the verdict that the specification gives', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const dice = random(seed);
    const nodes = ['n0', 'n1', 'n2'].map((name) => ({
      name,
      model: new PolicyModel(),
      state: emptyPolicyState,
    }));
    for (const { model } of nodes) model.commit(emptyTable('t'));
    for (let round = 0; round < 6; round += 1) {
      const now: World = {
        policies: Array.from({ length: dice.below(5) }, (_, index) => randomPolicy(dice, index)),
        pods: randomPods(dice),
        namespaces: [namespace('a'), namespace('b', { team: 'blue' }), namespace('c', { team: 'red' })],
      };
      try {
        for (const node of nodes) {
          const next = compilePolicies(now, node.name);
          node.model.commit(policyTransaction('t', node.state, next));
          node.state = next;
        }
        const sides: Side[] = [...now.pods, '192.0.2.1', '10.244.1.77'];
        for (const from of sides)
          for (const to of sides)
            for (const port of [80, 81, 83])
              for (const protocol of ['tcp', 'udp']) {
                const flow = { source: addressOf(from), destination: addressOf(to), protocol, port };
                const wanted = specified(now, from, to, { protocol, port });
                // Hundreds of thousands of verdicts: a plain comparison, with words only for the wrong one.
                const inKernel = !nodes.some(({ model }) => model.drops(flow));
                const inState = !nodes.some((node) => forbids(node.state, flow));
                if (inKernel !== wanted || inState !== wanted)
                  throw new Error(
                    `${JSON.stringify(flow)}: ${String([inKernel, inState])}, not ${String(wanted)}`,
                  );
              }
        const empty = now.policies.length === 0;
        if (empty)
          expect(nodes.map(({ model }) => model.names)).toEqual(
            nodes.map(() => ['closed', 'forward', 'self']),
          );
      } catch (error) {
        throw new Error(`seed ${seed}, round ${round}: ${String(error)}`, { cause: error });
      }
    }
  }
});
