// Whether a rule gives a right, and whether rules give all that another gives. Pure.
import type { PolicyRule } from '../../resources/generated/types.js';
import type { Attributes, PathAttributes, ResourceAttributes } from './attributes.js';

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes(value) || list.includes('*'));

/** `pods/log` is given by `pods/log`, by all logs (star, slash, log), and by the star alone; not by `pods`. */
const hasResource = (list: readonly string[] | undefined, resource: string, subresource: string): boolean => {
  if (list === undefined) return false;
  if (list.includes('*')) return true;
  if (subresource === '') return list.includes(resource);
  return list.includes(`${resource}/${subresource}`) || list.includes(`*/${subresource}`);
};

const allowsResource = (rule: PolicyRule, wanted: ResourceAttributes): boolean =>
  has(rule.verbs, wanted.verb) &&
  has(rule.apiGroups, wanted.group) &&
  hasResource(rule.resources, wanted.resource, wanted.subresource) &&
  ((rule.resourceNames ?? []).length === 0 || (rule.resourceNames ?? []).includes(wanted.name));

const fitsPath = (pattern: string, path: string): boolean =>
  pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));

const allowsPath = (rule: PolicyRule, wanted: PathAttributes): boolean =>
  has(rule.verbs, wanted.verb) &&
  (rule.nonResourceURLs ?? []).some((pattern) => fitsPath(pattern, wanted.path));

export const ruleAllows = (rule: PolicyRule, wanted: Attributes): boolean =>
  wanted.type === 'resource' ? allowsResource(rule, wanted) : allowsPath(rule, wanted);

/** A rule of single members: one verb on one resource, or on one URL. */
interface Atom {
  readonly rule: PolicyRule;
  readonly covered: (by: PolicyRule) => boolean;
}

const resourceAtoms = (rule: PolicyRule): readonly Atom[] => {
  const { apiGroups = [], resources = [], resourceNames = [], verbs } = rule;
  const names = resourceNames.length === 0 ? [undefined] : resourceNames;
  return verbs.flatMap((verb) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        names.map((name): Atom => {
          const [plural = '', subresource = ''] = resource.split('/');
          return {
            rule: {
              verbs: [verb],
              apiGroups: [group],
              resources: [resource],
              ...(name === undefined ? {} : { resourceNames: [name] }),
            },
            covered: (by) =>
              has(by.verbs, verb) &&
              has(by.apiGroups, group) &&
              hasResource(by.resources, plural, subresource) &&
              ((by.resourceNames ?? []).length === 0 ||
                (name !== undefined && (by.resourceNames ?? []).includes(name))),
          };
        }),
      ),
    ),
  );
};

const pathAtoms = ({ nonResourceURLs = [], verbs }: PolicyRule): readonly Atom[] =>
  verbs.flatMap((verb) =>
    nonResourceURLs.map((url): Atom => ({
      rule: { verbs: [verb], nonResourceURLs: [url] },
      covered: (by) =>
        has(by.verbs, verb) && (by.nonResourceURLs ?? []).some((pattern) => fitsPath(pattern, url)),
    })),
  );

/** What `wanted` gives and none of `held` does, one verb and one resource each. */
export const notCovered = (
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): readonly PolicyRule[] =>
  wanted
    .flatMap((rule) => [...resourceAtoms(rule), ...pathAtoms(rule)])
    .filter(({ covered }) => !held.some(covered))
    .map(({ rule }) => rule);

const list = (values: readonly string[]): string =>
  `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}`. */
export const ruleText = ({
  apiGroups,
  resources,
  resourceNames,
  nonResourceURLs,
  verbs,
}: PolicyRule): string => {
  const parts = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['ResourceNames', resourceNames],
    ['NonResourceURLs', nonResourceURLs],
    ['Verbs', verbs],
  ] as const;
  return `{${parts
    .flatMap(([name, values]) =>
      values === undefined || values.length === 0 ? [] : [`${name}:${list(values)}`],
    )
    .join(', ')}}`;
};
