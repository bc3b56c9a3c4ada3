// What pods ask about other pods, held against the rules of Kubernetes told a second time, pod by pod and without memory.
import { describe, expect, it } from 'vitest';
import { couplings } from '../../../src/scheduler/couplings/couplings.js';
import { filters } from '../../../src/scheduler/filters/filters.js';
import { Placer } from '../../../src/scheduler/placer.js';
import { scores } from '../../../src/scheduler/scores/scores.js';
import type {
  Node,
  Pod,
  PodAffinityTerm,
  TopologySpreadConstraint,
} from '../../../src/resources/generated/types.js';
import { selects } from '../../../src/resources/label-selector.js';
import type { Labels } from '../../../src/resources/label-selector.js';
import { createRandom, seeds, type Random } from '../../contract/random.js';
import { node, noVolumes, pod } from './objects.js';

const zone = 'topology.kubernetes.io/zone';
const host = 'kubernetes.io/hostname';
const namespaceLabels: Readonly<Record<string, Labels>> = {
  default: { team: 'a' },
  other: { team: 'b' },
};

const placerOf = (nodes: readonly Node[]): Placer => {
  const placer = new Placer({
    rules: { filters, scores, couplings },
    namespaceLabels: (namespace) => namespaceLabels[namespace],
    volumes: noVolumes,
    budgets: () => [],
    reclassified: () => undefined,
  });
  for (const entry of nodes) placer.table.setNode(entry);
  return placer;
};

const labelled = (name: string, inZone?: string): Node =>
  node(name, { labels: { [host]: name, ...(inZone === undefined ? {} : { [zone]: inZone }) } });

const withLabels = (subject: Pod, labels: Labels, namespace = 'default'): Pod => ({
  ...subject,
  metadata: { ...subject.metadata, namespace, labels },
});

const placeAll = (placer: Placer, subjects: readonly Pod[]): readonly (string | undefined)[] =>
  subjects.map((subject) => {
    const outcome = placer.place(subject);
    return outcome.type === 'placed' ? outcome.candidate.node.name : undefined;
  });

const term = (app: string, topologyKey: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
  ...more,
});

const antiAffinity = (...terms: readonly PodAffinityTerm[]) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});

const affinity = (...terms: readonly PodAffinityTerm[]) => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});

const many = (count: number, name: string, spec: object, labels: Labels): readonly Pod[] =>
  Array.from({ length: count }, (_, index) => withLabels(pod(`${name}${String(index)}`, { spec }), labels));

describe('pods that ask about other pods', () => {
  it('keep away from those that they do not want in their domain', () => {
    const placer = placerOf([labelled('a1', 'a'), labelled('a2', 'a'), labelled('b1', 'b')]);
    const web = many(3, 'web', antiAffinity(term('web', zone)), { app: 'web' });
    const [first, second, third] = placeAll(placer, web);
    expect(new Set([first?.[0], second?.[0]])).toEqual(new Set(['a', 'b']));
    expect(third).toBeUndefined();
    expect(placer.explain(placer.classOf(web[2]!))).toBe(
      "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.",
    );
  });

  it('are kept away by those that run already', () => {
    const placer = placerOf([labelled('n1'), labelled('n2')]);
    const lonely = withLabels(pod('lonely', { spec: antiAffinity(term('web', host)) }), { app: 'db' });
    const [on] = placeAll(placer, [lonely]);
    const web = many(2, 'web', {}, { app: 'web' });
    expect(placeAll(placer, web)).toEqual([on === 'n1' ? 'n2' : 'n1', on === 'n1' ? 'n2' : 'n1']);
    placer.table.removeNode(on === 'n1' ? 'n2' : 'n1');
    expect(placer.explain(placer.classOf(web[0]!))).toBe(
      "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
    );
  });

  it('go where those are that they need, and the first of a group anywhere', () => {
    const placer = placerOf([labelled('a1', 'a'), labelled('a2', 'a'), labelled('b1', 'b'), labelled('x')]);
    const group = many(6, 'web', affinity(term('web', zone)), { app: 'web' });
    const placed = placeAll(placer, group);
    expect(new Set(placed.map((name) => name?.[0])).size).toBe(1);
    expect(placed).not.toContain('x');
    const stray = withLabels(pod('stray', { spec: affinity(term('nobody', zone)) }), { app: 'stray' });
    expect(placeAll(placer, [stray])).toEqual([undefined]);
  });

  it('are spread over zones within the skew, and wait when no zone may take one more', () => {
    const spec = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: zone,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    };
    const placer = placerOf([labelled('a1', 'a'), node('b1', { pods: '1', labels: { [zone]: 'b' } })]);
    const placed = placeAll(placer, many(4, 'web', spec, { app: 'web' }));
    expect([...placed].sort()).toEqual(['a1', 'a1', 'b1', undefined]);
  });

  it('prefer the company that they ask for', () => {
    const placer = placerOf(['n1', 'n2', 'n3', 'n4'].map((name) => labelled(name)));
    const [cache] = placeAll(placer, many(1, 'cache', {}, { app: 'cache' }));
    const spec = {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, podAffinityTerm: term('cache', host) },
          ],
        },
      },
    };
    expect(placeAll(placer, many(1, 'web', spec, { app: 'web' }))).toEqual([cache]);
  });

  it('mean other namespaces when they say so', () => {
    const placer = placerOf([labelled('n1'), labelled('n2')]);
    const there = withLabels(pod('there'), { app: 'db' }, 'other');
    const [on] = placeAll(placer, [there]);
    const near = (more: Partial<PodAffinityTerm>) =>
      withLabels(pod('near', { spec: affinity(term('db', host, more)) }), { app: 'web' });
    expect(placeAll(placer, [near({})])).toEqual([undefined]);
    expect(placeAll(placer, [near({ namespaces: ['other'] })])).toEqual([on]);
    placer.table.unassign('near');
    expect(placeAll(placer, [near({ namespaceSelector: { matchLabels: { team: 'b' } } })])).toEqual([on]);
    placer.table.unassign('near');
    expect(placeAll(placer, [near({ namespaceSelector: { matchLabels: { team: 'c' } } })])).toEqual([
      undefined,
    ]);
  });
});

/** What is where, and the rules of the documentation on it: nothing is remembered or counted ahead. */
interface World {
  readonly nodes: readonly Node[];
  readonly placed: readonly { readonly pod: Pod; readonly on: string }[];
}

const domain = (on: Node, key: string): string | undefined => on.metadata.labels?.[key];

const means = (asked: PodAffinityTerm, asker: Pod, other: Pod): boolean => {
  const namespace = other.metadata.namespace!;
  const own = (asked.namespaces ?? []).length === 0 && asked.namespaceSelector === undefined;
  const inNamespace =
    (own && namespace === asker.metadata.namespace) ||
    (asked.namespaces ?? []).includes(namespace) ||
    (asked.namespaceSelector !== undefined && selects(asked.namespaceSelector, namespaceLabels[namespace]));
  return inNamespace && selects(asked.labelSelector, other.metadata.labels);
};

const inDomain = ({ nodes, placed }: World, key: string, value: string | undefined): readonly Pod[] =>
  value === undefined
    ? []
    : placed
        .filter(
          ({ on }) =>
            domain(
              nodes.find(({ metadata }) => metadata.name === on)!,
              key,
            ) === value,
        )
        .map((entry) => entry.pod);

const required = (of: Pod, part: 'podAffinity' | 'podAntiAffinity'): readonly PodAffinityTerm[] =>
  of.spec.affinity?.[part]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

const affinityHolds = (world: World, subject: Pod, on: Node): boolean => {
  const terms = required(subject, 'podAffinity');
  if (terms.some(({ topologyKey }) => domain(on, topologyKey) === undefined)) return false;
  const all = (other: Pod) => terms.every((asked) => means(asked, subject, other));
  if (terms.every(({ topologyKey }) => inDomain(world, topologyKey, domain(on, topologyKey)).some(all)))
    return true;
  const anywhere = terms.some(({ topologyKey }) =>
    world.nodes.some((other) => inDomain(world, topologyKey, domain(other, topologyKey)).some(all)),
  );
  return !anywhere && all(subject);
};

const antiAffinityHolds = (world: World, subject: Pod, on: Node): boolean =>
  required(subject, 'podAntiAffinity').every(
    (asked) =>
      !inDomain(world, asked.topologyKey, domain(on, asked.topologyKey)).some((other) =>
        means(asked, subject, other),
      ),
  ) &&
  world.placed.every(({ pod: other, on: otherNode }) =>
    required(other, 'podAntiAffinity').every((asked) => {
      const there = domain(
        world.nodes.find(({ metadata }) => metadata.name === otherNode)!,
        asked.topologyKey,
      );
      return !means(asked, other, subject) || there === undefined || there !== domain(on, asked.topologyKey);
    }),
  );

const spreadHolds = (world: World, subject: Pod, on: Node): boolean => {
  const hard = (subject.spec.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
  );
  const inAll = (candidate: Node) =>
    hard.every(({ topologyKey }) => domain(candidate, topologyKey) !== undefined);
  const eligible = world.nodes.filter(
    (candidate) =>
      inAll(candidate) &&
      Object.entries(subject.spec.nodeSelector ?? {}).every(
        ([key, value]) => domain(candidate, key) === value,
      ),
  );
  return (
    inAll(on) &&
    hard.every(({ topologyKey, labelSelector, maxSkew, minDomains = 1 }) => {
      const count = (value: string | undefined) =>
        world.placed.filter(
          ({ pod: other, on: otherNode }) =>
            eligible.some(
              (candidate) =>
                candidate.metadata.name === otherNode && domain(candidate, topologyKey) === value,
            ) &&
            other.metadata.namespace === subject.metadata.namespace &&
            selects(labelSelector, other.metadata.labels),
        ).length;
      const domains = [...new Set(eligible.map((candidate) => domain(candidate, topologyKey)))];
      const least = domains.length < minDomains ? 0 : Math.min(...domains.map(count), Infinity);
      const own = selects(labelSelector, subject.metadata.labels) ? 1 : 0;
      return count(domain(on, topologyKey)) + own - (least === Infinity ? 0 : least) <= maxSkew;
    })
  );
};

const mayBeOn = (world: World, subject: Pod, on: Node): boolean =>
  Object.entries(subject.spec.nodeSelector ?? {}).every(([key, value]) => domain(on, key) === value) &&
  world.placed.filter((entry) => entry.on === on.metadata.name).length < 6 &&
  affinityHolds(world, subject, on) &&
  antiAffinityHolds(world, subject, on) &&
  spreadHolds(world, subject, on);

const apps = ['web', 'db', 'cache'];

const randomTerm = (random: Random): PodAffinityTerm =>
  term(random.pick(apps), random.pick([zone, host]), {
    ...(random.chance(0.2) ? { namespaces: ['other'] } : {}),
    ...(random.chance(0.2) ? { namespaceSelector: { matchLabels: { team: random.pick(['a', 'b']) } } } : {}),
    ...(random.chance(0.1) ? { matchLabelKeys: ['version'] } : {}),
  });

/** The naive rules read no matchLabelKeys: they are laid into the selector first, as documented. */
const plain = (asked: PodAffinityTerm, labels: Labels): PodAffinityTerm => ({
  ...asked,
  labelSelector: {
    matchLabels: asked.labelSelector?.matchLabels ?? {},
    matchExpressions: (asked.matchLabelKeys ?? []).map((key) => ({
      key,
      operator: 'In',
      values: [labels[key]!],
    })),
  },
});

const randomPod = (name: string, random: Random): { readonly subject: Pod; readonly naive: Pod } => {
  const labels = { app: random.pick(apps), version: random.pick(['1', '2']) };
  const near = random.chance(0.25) ? [randomTerm(random)] : [];
  const away = random.chance(0.3) ? [randomTerm(random)] : [];
  const constraints: readonly TopologySpreadConstraint[] = random.chance(0.4)
    ? [
        {
          maxSkew: 1 + random.integer(2),
          topologyKey: random.pick([zone, host]),
          whenUnsatisfiable: random.pick(['DoNotSchedule', 'DoNotSchedule', 'ScheduleAnyway']),
          labelSelector: { matchLabels: { app: random.pick(apps) } },
          ...(random.chance(0.2) ? { minDomains: 4 } : {}),
        },
      ]
    : [];
  const make = (lay: (asked: PodAffinityTerm) => PodAffinityTerm): Pod =>
    withLabels(
      pod(name, {
        spec: {
          topologySpreadConstraints: constraints,
          affinity: {
            podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: near.map(lay) },
            podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: away.map(lay) },
          },
        },
      }),
      labels,
      namespace,
    );
  const namespace = random.pick(['default', 'default', 'other']);
  return { subject: make((asked) => asked), naive: make((asked) => plain(asked, labels)) };
};

describe.each(seeds([1, 2, 3, 4]))('placement beside other pods (seed %i)', (seed) => {
  it('is what the rules allow, and fails only where they allow nothing', () => {
    const random = createRandom(seed);
    const nodes = Array.from({ length: 9 }, (_, index) =>
      node(`n${String(index)}`, {
        pods: '6',
        cpu: '100',
        labels: {
          [host]: `n${String(index)}`,
          ...(index === 8 ? {} : { [zone]: ['a', 'b', 'c'][index % 3]! }),
        },
      }),
    );
    const placer = placerOf(nodes);
    let placed: { readonly pod: Pod; readonly on: string }[] = [];
    let placements = 0;
    let refusals = 0;
    for (let step = 0; step < 400; step += 1) {
      if (placed.length > 0 && random.chance(0.35)) {
        const gone = random.pick(placed);
        placer.table.unassign(gone.pod.metadata.uid);
        placed = placed.filter((entry) => entry !== gone);
        continue;
      }
      const { subject, naive } = randomPod(`p${String(step)}`, random);
      const allowed = nodes
        .filter((on) => mayBeOn({ nodes, placed }, naive, on))
        .map(({ metadata }) => metadata.name);
      const [on] = placeAll(placer, [subject]);
      if (on === undefined) {
        expect(allowed, `step ${String(step)}`).toEqual([]);
        refusals += 1;
      } else {
        expect(allowed, `step ${String(step)}`).toContain(on);
        placed.push({ pod: naive, on });
        placements += 1;
      }
    }
    expect(placements).toBeGreaterThan(50);
    expect(refusals).toBeGreaterThan(5);
  });
});
