// What a pod asks about other pods: which of them it means, and over which topology they are counted.
import type {
  Affinity,
  Pod,
  PodAffinityTerm,
  TopologySpreadConstraint,
  WeightedPodAffinityTerm,
} from '../../resources/generated/types.js';
import { matches, requirementsOf } from '../../resources/label-selector.js';
import type { Labels, Requirement, Requirements } from '../../resources/label-selector.js';

export interface Term {
  /** The same text for the same question. */
  readonly id: string;
  readonly topologyKey: string;
  readonly namespaces: readonly string[];
  /** Beside `namespaces`: those whose labels match. */
  readonly namespaceSelector: Requirements | undefined;
  /** Undefined means no pod at all. */
  readonly selector: Requirements | undefined;
}

export interface Weighted {
  readonly term: Term;
  /** Negative for anti-affinity. */
  readonly weight: number;
}

export interface SpreadTerm extends Term {
  readonly maxSkew: number;
  readonly minDomains: number;
  /** DoNotSchedule; the others only prefer. */
  readonly hard: boolean;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

export interface Terms {
  readonly affinity: readonly Term[];
  readonly antiAffinity: readonly Term[];
  readonly preferred: readonly Weighted[];
  readonly spread: readonly SpreadTerm[];
}

export const noTerms: Terms = { affinity: [], antiAffinity: [], preferred: [], spread: [] };

/** Values that the pod's own labels give to a selector; a key that the pod lacks asks nothing. */
const ownValues = (
  keys: readonly string[] | undefined,
  own: Labels,
  operator: 'In' | 'NotIn',
): Requirements =>
  (keys ?? []).flatMap((key): readonly Requirement[] => {
    const value = own[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });

const identified = <T extends Omit<Term, 'id'>>(term: T): T & Pick<Term, 'id'> => ({
  ...term,
  id: JSON.stringify([term.topologyKey, term.namespaces, term.namespaceSelector, term.selector]),
});

const affinityTerm = (term: PodAffinityTerm, { metadata }: Pod): Term => {
  const own = metadata.labels ?? {};
  const { labelSelector, namespaceSelector, namespaces = [] } = term;
  return identified({
    topologyKey: term.topologyKey,
    // Without either, the pod's own namespace; an empty selector is every namespace.
    namespaces:
      namespaces.length === 0 && namespaceSelector === undefined ? [metadata.namespace ?? ''] : namespaces,
    namespaceSelector: namespaceSelector === undefined ? undefined : requirementsOf(namespaceSelector),
    selector:
      labelSelector === undefined
        ? undefined
        : [
            ...requirementsOf(labelSelector),
            ...ownValues(term.matchLabelKeys, own, 'In'),
            ...ownValues(term.mismatchLabelKeys, own, 'NotIn'),
          ],
  });
};

const spreadTerm = (constraint: TopologySpreadConstraint, { metadata }: Pod): SpreadTerm => ({
  ...identified({
    topologyKey: constraint.topologyKey,
    namespaces: [metadata.namespace ?? ''],
    namespaceSelector: undefined,
    selector:
      constraint.labelSelector === undefined
        ? undefined
        : [
            ...requirementsOf(constraint.labelSelector),
            ...ownValues(constraint.matchLabelKeys, metadata.labels ?? {}, 'In'),
          ],
  }),
  maxSkew: constraint.maxSkew,
  minDomains: constraint.minDomains ?? 1,
  hard: constraint.whenUnsatisfiable === 'DoNotSchedule',
  honorsAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
  honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
});

const weighted = (
  terms: readonly WeightedPodAffinityTerm[] | undefined,
  pod: Pod,
  sign: 1 | -1,
): readonly Weighted[] =>
  (terms ?? []).map(({ weight, podAffinityTerm }) => ({
    term: affinityTerm(podAffinityTerm, pod),
    weight: sign * weight,
  }));

const required = (part: Affinity['podAffinity'] | Affinity['podAntiAffinity'], pod: Pod): readonly Term[] =>
  (part?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => affinityTerm(term, pod));

export const termsOf = (pod: Pod): Terms => {
  const { affinity, topologySpreadConstraints = [] } = pod.spec;
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined && topologySpreadConstraints.length === 0)
    return noTerms;
  return {
    affinity: required(podAffinity, pod),
    antiAffinity: required(podAntiAffinity, pod),
    preferred: [
      ...weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, pod, 1),
      ...weighted(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, pod, -1),
    ],
    spread: topologySpreadConstraints.map((constraint) => spreadTerm(constraint, pod)),
  };
};

export const allTerms = ({ affinity, antiAffinity, preferred, spread }: Terms): readonly Term[] => [
  ...affinity,
  ...antiAffinity,
  ...preferred.map(({ term }) => term),
  ...spread,
];

/** A pod as a term sees it. */
export interface Subject {
  readonly pod: Pod;
}

/** Labels of a namespace; undefined when it is not known. */
export type NamespaceLabels = (namespace: string) => Labels | undefined;

/** Answers whether a term means a pod, and remembers: classes of pods are few. */
export class TermMatcher {
  readonly #namespaceLabels: NamespaceLabels;
  #known = new WeakMap<Subject, Map<string, boolean>>();

  constructor(namespaceLabels: NamespaceLabels) {
    this.#namespaceLabels = namespaceLabels;
  }

  /** Labels of namespaces have changed. */
  forget(): void {
    this.#known = new WeakMap();
  }

  matches(term: Term, subject: Subject): boolean {
    let known = this.#known.get(subject);
    if (known === undefined) {
      known = new Map();
      this.#known.set(subject, known);
    }
    const remembered = known.get(term.id);
    if (remembered !== undefined) return remembered;
    const answer = this.#ask(term, subject);
    known.set(term.id, answer);
    return answer;
  }

  #ask({ selector, namespaces, namespaceSelector }: Term, { pod: { metadata } }: Subject): boolean {
    if (selector === undefined) return false;
    const namespace = metadata.namespace ?? '';
    if (!namespaces.includes(namespace)) {
      if (namespaceSelector === undefined) return false;
      const labels = this.#namespaceLabels(namespace);
      if (labels === undefined || !matches(namespaceSelector, labels)) return false;
    }
    return matches(selector, metadata.labels);
  }
}
