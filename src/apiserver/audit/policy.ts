// An audit policy (audit.k8s.io/v1 Policy): which requests are recorded, and how much of each. Pure.
import type { Identity } from '../../base/http.js';
import { isObject } from '../../base/json.js';
import { ClusterError } from '../../base/errors.js';
import type { Attributes } from '../authorize/attributes.js';

export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type Level = (typeof levels)[number];

export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type Stage = (typeof stages)[number];

export interface GroupResources {
  readonly group: string;
  /** `pods`, `pods/log`, `pods/*`, a star with `/log` behind it; empty for all. */
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

export interface PolicyRule {
  readonly level: Level;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

export interface Policy {
  /** The first rule that fits decides; without one nothing is recorded. */
  readonly rules: readonly PolicyRule[];
}

export interface Recorded {
  readonly level: Level;
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

export const nothing: Recorded = { level: 'None', omitStages: [], omitManagedFields: true };

const within = (list: readonly string[], value: string): boolean =>
  list.length === 0 || list.includes(value) || list.includes('*');

const fitsUrl = (pattern: string, path: string): boolean =>
  pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));

const fitsResource = (pattern: string, resource: string, subresource: string): boolean => {
  if (pattern === '*') return true;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  if (pattern === full) return true;
  if (pattern.startsWith('*/')) return subresource !== '' && pattern.slice(2) === subresource;
  return pattern.endsWith('/*') && pattern.slice(0, -2) === resource;
};

const fits = (rule: PolicyRule, identity: Identity, wanted: Attributes): boolean => {
  if (!within(rule.users, identity.user)) return false;
  if (rule.userGroups.length > 0 && !rule.userGroups.some((group) => identity.groups.includes(group)))
    return false;
  if (!within(rule.verbs, wanted.verb)) return false;
  if (wanted.type === 'path') {
    if (rule.resources.length > 0 || rule.namespaces.length > 0) return false;
    return (
      rule.nonResourceURLs.length === 0 ||
      rule.nonResourceURLs.some((pattern) => fitsUrl(pattern, wanted.path))
    );
  }
  if (rule.nonResourceURLs.length > 0) return false;
  if (rule.namespaces.length > 0 && !rule.namespaces.includes(wanted.namespace)) return false;
  return (
    rule.resources.length === 0 ||
    rule.resources.some(
      ({ group, resources, resourceNames }) =>
        (group === wanted.group || group === '*') &&
        (resources.length === 0 ||
          resources.some((pattern) => fitsResource(pattern, wanted.resource, wanted.subresource))) &&
        (resourceNames.length === 0 || resourceNames.includes(wanted.name)),
    )
  );
};

export const recordedOf = ({ rules }: Policy, identity: Identity, wanted: Attributes): Recorded =>
  rules.find((rule) => fits(rule, identity, wanted)) ?? nothing;

const bad = (where: string, what: string): ClusterError =>
  new ClusterError('BadRequest', `audit policy: ${where}: ${what}`);

const strings = (from: Record<string, unknown>, name: string, where: string): readonly string[] => {
  const value = from[name] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw bad(`${where}.${name}`, 'must be a list of strings');
};

const oneOf = <T extends string>(value: unknown, choices: readonly T[], where: string): T => {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined)
    throw bad(where, `${JSON.stringify(value ?? null)} is none of ${choices.join(', ')}`);
  return choice;
};

const stagesIn = (from: Record<string, unknown>, where: string): readonly Stage[] =>
  strings(from, 'omitStages', where).map((stage) => oneOf(stage, stages, `${where}.omitStages`));

const known: ReadonlySet<string> = new Set([
  'level',
  'users',
  'userGroups',
  'verbs',
  'resources',
  'namespaces',
  'nonResourceURLs',
  'omitStages',
  'omitManagedFields',
]);

const groupResources = (value: unknown, where: string): readonly GroupResources[] => {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw bad(where, 'must be a list');
  return value.map((item: unknown, index): GroupResources => {
    const here = `${where}[${String(index)}]`;
    if (!isObject(item)) throw bad(here, 'must be an object');
    const { group = '' } = item;
    if (typeof group !== 'string') throw bad(`${here}.group`, 'must be a string');
    return {
      group,
      resources: strings(item, 'resources', here),
      resourceNames: strings(item, 'resourceNames', here),
    };
  });
};

interface Inherited {
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

const ruleOf = (value: unknown, where: string, inherited: Inherited): PolicyRule => {
  if (!isObject(value)) throw bad(where, 'must be an object');
  const unknown = Object.keys(value).find((name) => !known.has(name));
  if (unknown !== undefined) throw bad(`${where}.${unknown}`, 'unknown field');
  const rule: PolicyRule = {
    level: oneOf(value['level'], levels, `${where}.level`),
    users: strings(value, 'users', where),
    userGroups: strings(value, 'userGroups', where),
    verbs: strings(value, 'verbs', where),
    resources: groupResources(value['resources'], `${where}.resources`),
    namespaces: strings(value, 'namespaces', where),
    nonResourceURLs: strings(value, 'nonResourceURLs', where),
    omitStages: [...inherited.omitStages, ...stagesIn(value, where)],
    omitManagedFields:
      value['omitManagedFields'] === undefined
        ? inherited.omitManagedFields
        : value['omitManagedFields'] === true,
  };
  if (rule.nonResourceURLs.length > 0 && (rule.resources.length > 0 || rule.namespaces.length > 0))
    throw bad(where, 'a rule is about resources or about nonResourceURLs, not both');
  return rule;
};

/** Throws BadRequest that names the field. `value` is the parsed file. */
export const parsePolicy = (value: unknown): Policy => {
  if (!isObject(value) || value['kind'] !== 'Policy' || value['apiVersion'] !== 'audit.k8s.io/v1')
    throw bad('the file', 'must hold one object with apiVersion audit.k8s.io/v1 and kind Policy');
  const rules = value['rules'];
  if (!Array.isArray(rules) || rules.length === 0) throw bad('rules', 'must be a list of one rule or more');
  const inherited = {
    omitStages: stagesIn(value, 'the policy'),
    omitManagedFields: value['omitManagedFields'] === true,
  };
  return { rules: rules.map((rule, index) => ruleOf(rule, `rules[${String(index)}]`, inherited)) };
};
