import { describe, expect, it } from 'vitest';
import { transactionText } from '../../../src/host/datapath/proxy-plan.js';
import { nextSlots, ProxyTables } from '../../../src/host/datapath/proxy-tables.js';
import type { Backend, Frontend, Target } from '../../../src/network/datapath.js';
import { NftablesModel, type Verdict } from './nftables-model.js';
import { random, type Random } from './random.js';

const inside = (address: string): boolean => address.startsWith('10.244.');
const backend = (index: number, weight = 1, local = false): Backend => ({
  address: `10.244.0.${index}`,
  port: 8080,
  weight,
  local,
});
const frontend = (backends: readonly Backend[], more: Partial<Frontend> = {}): Frontend => ({
  key: '10.96.0.1/tcp/80',
  address: '10.96.0.1',
  protocol: 'tcp',
  port: 80,
  target: { backends, empty: 'refuse' },
  ...more,
});
const only = (one: Frontend): ReadonlyMap<string, Frontend> => new Map([[one.key, one]]);

describe('a change', () => {
  it('of one endpoint costs one element, whatever else is there', () => {
    const tables = new ProxyTables(inside);
    const many = new Map<string, Frontend>();
    for (let index = 0; index < 500; index += 1) {
      const address = `10.97.${index >> 8}.${index & 255}`;
      const key = `${address}/tcp/80`;
      many.set(key, frontend([backend(1), backend(2), backend(3)], { key, address }));
    }
    tables.step(many);
    const key = '10.97.1.7/tcp/80';
    const next = frontend([backend(1), backend(9), backend(3)], { key, address: '10.97.1.7' });
    expect(tables.step(new Map(many).set(key, next)).operations).toEqual([
      { do: 'delete element', map: 'vip-endpoints', key: '10.97.1.7 . tcp . 80 . 1' },
      {
        do: 'add element',
        map: 'vip-endpoints',
        key: '10.97.1.7 . tcp . 80 . 1',
        value: '10.244.0.9 . 8080',
      },
    ]);
  });

  it('of nothing costs nothing', () => {
    const tables = new ProxyTables(inside);
    const state = only(frontend([backend(1, 1, true)]));
    tables.step(state);
    expect(tables.step(new Map(state)).operations).toEqual([]);
  });

  it('that moves a local pod from one service to another leaves its hairpin alone', () => {
    const tables = new ProxyTables(inside);
    const one = frontend([backend(1, 1, true)]);
    const other = frontend([backend(1, 1, true)], { key: 'node/tcp/30080', address: undefined, port: 30080 });
    tables.step(only(one));
    const maps = tables
      .step(only(other))
      .operations.map((operation) => ('map' in operation ? operation.map : ''));
    expect(maps).not.toContain('hairpin');
  });

  it('that takes a UDP backend away names it, once for each address', () => {
    const tables = new ProxyTables(inside);
    const dns = { key: '10.96.0.1/udp/53', protocol: 'udp' as const, port: 53 };
    tables.step(only(frontend([backend(1), backend(2)], dns)));
    const { gone } = tables.step(only(frontend([backend(2)], dns)));
    expect(gone.map(({ backend: address }) => address)).toEqual(['10.244.0.1']);
  });
});

describe('slots', () => {
  it.each([
    { present: ['a', 'b', 'c'], wanted: ['a', 'b', 'c'], next: ['a', 'b', 'c'] },
    { present: ['a', 'b', 'c'], wanted: ['c', 'd', 'a'], next: ['a', 'd', 'c'] },
    { present: ['a', 'b', 'c'], wanted: ['b', 'c'], next: ['c', 'b'] },
    { present: ['a', 'b', 'c'], wanted: ['c'], next: ['c'] },
    { present: ['a'], wanted: ['x', 'a', 'y'], next: ['a', 'x', 'y'] },
    { present: ['a', 'b'], wanted: [], next: [] },
  ])('$present -> $wanted', ({ present, wanted, next }) => {
    expect(nextSlots(present, wanted)).toEqual(next);
  });
});

describe('nft is told', () => {
  const lines = (...states: readonly Frontend[]): string => {
    const tables = new ProxyTables(inside);
    return states.map((one) => transactionText('t', tables.step(only(one)).operations).join('\n')).at(-1)!;
  };

  it('of shares as ranges of one random number', () => {
    expect(lines(frontend([backend(1, 3), backend(2, 1)]))).toContain(
      'numgen random mod 4 map { 0-2 : 10.244.0.1 . 8080, 3 : 10.244.0.2 . 8080 }',
    );
  });

  it('to end a chain only after nothing leads to it', () => {
    const text = lines(frontend([backend(1, 3), backend(2, 1)]), frontend([backend(1), backend(2)]));
    expect(text.indexOf('delete element')).toBeLessThan(text.indexOf('delete chain'));
    expect(text.indexOf('delete element')).toBeGreaterThan(-1);
  });
});

const specified = ({ backends, empty }: Target): Verdict => {
  if (backends.length === 0) return empty;
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(backends.map(({ address, port, weight }) => [`${address} . ${port}`, weight / total]));
};

const expectSame = (actual: Verdict, wanted: Verdict): void => {
  if (typeof wanted !== 'object' || typeof actual !== 'object') {
    expect(actual).toBe(wanted);
    return;
  }
  const shares = actual;
  expect([...shares.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [key, share] of wanted) expect(shares.get(key)).toBeCloseTo(share, 12);
};

const randomTarget = (dice: Random): Target => {
  const weighted = dice.below(3) === 0;
  const most = dice.below(10) === 0 ? 90 : 6;
  const numbers = Array.from({ length: most }, (_, index) => index + 1).filter(() => dice.below(2) === 0);
  return {
    backends: numbers.map((index) => {
      const address = dice.below(8) === 0 ? `192.0.2.${index}` : `10.244.0.${index}`;
      return { address, port: 8080, weight: weighted ? 1 + dice.below(9) : 1, local: index % 2 === 0 };
    }),
    empty: dice.below(2) === 0 ? 'refuse' : 'drop',
  };
};

const randomFrontend = (dice: Random, index: number): Frontend => {
  const address = index % 3 === 0 ? undefined : `10.96.0.${index}`;
  const protocol = index % 2 === 0 ? 'tcp' : 'udp';
  return {
    key: `${address ?? 'node'}/${protocol}/${30_000 + index}`,
    address,
    protocol,
    port: 30_000 + index,
    target: randomTarget(dice),
    ...(dice.below(3) === 0 ? { outside: randomTarget(dice) } : {}),
    ...(dice.below(4) === 0 ? { affinitySeconds: 60 + dice.below(2) } : {}),
  };
};

it('whatever the changes, the maps give the verdicts that the endpoints ask for', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const dice = random(seed);
    const tables = new ProxyTables(inside);
    const model = new NftablesModel();
    let state = new Map<string, Frontend>();
    for (let round = 0; round < 25; round += 1) {
      state = new Map(state);
      for (let change = dice.below(4); change >= 0; change -= 1) {
        const one = randomFrontend(dice, dice.below(12));
        if (dice.below(4) === 0) state.delete(one.key);
        else state.set(one.key, one);
      }
      try {
        model.commit(tables.step(state).operations);
        const local = new Set<string>();
        for (const { address, protocol, port, target, outside } of state.values()) {
          const key = [...(address === undefined ? [] : [address]), protocol, port].join(' . ');
          const kind = address === undefined ? 'port' : 'vip';
          expectSame(model.verdict(kind, key), specified(target));
          expectSame(model.verdict(`outside-${kind}`, key), outside && specified(outside));
          for (const one of [...target.backends, ...(outside?.backends ?? [])])
            if (one.local && inside(one.address)) local.add(`${one.address} . ${one.address}`);
        }
        expect(model.elements('hairpin')).toEqual([...local].sort());
        const present = ['vip', 'port'].flatMap((kind) => model.elements(`${kind}-services`));
        expect(present).toHaveLength(state.size);
      } catch (error) {
        throw new Error(`seed ${seed}, round ${round}: ${String(error)}`, { cause: error });
      }
    }
  }
});
