// Analysis templates put together: the metrics of several, with the values that arguments have.
import type { View } from '../../client/view.js';
import type {
  AnalysisArgument,
  AnalysisDryRun,
  AnalysisMetric,
  AnalysisRetention,
  AnalysisRunSpec,
  AnalysisTemplateSpec,
  RolloutAnalysisTemplateRef,
} from '../../resources/generated/types.js';
import { analysistemplates, clusteranalysistemplates } from '../../resources/kinds/analysistemplates.js';

/** Finds a template by reference. */
export type FindTemplate = (reference: RolloutAnalysisTemplateRef) => AnalysisTemplateSpec | undefined;

export const templatesIn =
  (view: View, namespace: string | undefined): FindTemplate =>
  ({ templateName: name = '', clusterScope }) =>
    clusterScope === true
      ? view.get(clusteranalysistemplates, { name })?.spec
      : view.get(analysistemplates, { name, namespace })?.spec;

export interface Assembly {
  readonly templates: readonly RolloutAnalysisTemplateRef[];
  /** Values that win over those of the templates. */
  readonly args: readonly AnalysisArgument[];
  readonly dryRun: readonly AnalysisDryRun[];
  readonly measurementRetention: readonly AnalysisRetention[];
}

export type Assembled = { readonly spec: AnalysisRunSpec } | { readonly problem: string };

const titleOf = ({ templateName = '', clusterScope }: RolloutAnalysisTemplateRef): string =>
  `${clusterScope === true ? 'ClusterAnalysisTemplate' : 'AnalysisTemplate'} "${templateName}"`;

/** Every template once, those that they name included. Throws the sentence that says what is missing. */
const collected = (
  references: readonly RolloutAnalysisTemplateRef[],
  find: FindTemplate,
  seen: Map<string, AnalysisTemplateSpec>,
): string | undefined => {
  for (const reference of references) {
    const title = titleOf(reference);
    if (seen.has(title)) continue;
    const spec = find(reference);
    if (spec === undefined) return `${title} not found`;
    seen.set(title, spec);
    const problem = collected(spec.templates ?? [], find, seen);
    if (problem !== undefined) return problem;
  }
  return undefined;
};

const withValues = (
  declared: readonly AnalysisArgument[],
  given: readonly AnalysisArgument[],
): readonly AnalysisArgument[] => {
  const byName = new Map<string, AnalysisArgument>();
  for (const arg of declared) {
    const known = byName.get(arg.name);
    // The same argument of two templates: a value wins over none.
    if (known === undefined || (known.value === undefined && known.valueFrom === undefined))
      byName.set(arg.name, arg);
  }
  for (const arg of given) byName.set(arg.name, arg);
  return [...byName.values()];
};

export const assembled = (assembly: Assembly, find: FindTemplate): Assembled => {
  const seen = new Map<string, AnalysisTemplateSpec>();
  const missing = collected(assembly.templates, find, seen);
  if (missing !== undefined) return { problem: missing };
  const specs = [...seen.values()];
  const metrics: readonly AnalysisMetric[] = specs.flatMap((spec) => spec.metrics ?? []);
  const names = new Set<string>();
  for (const { name } of metrics) {
    if (names.has(name)) return { problem: `two metrics have the name "${name}"` };
    names.add(name);
  }
  const args = withValues(
    specs.flatMap((spec) => spec.args ?? []),
    assembly.args,
  );
  const without = args.find(({ value, valueFrom }) => value === undefined && valueFrom === undefined);
  if (without !== undefined) return { problem: `args.${without.name} was not resolved` };
  const dryRun = [...specs.flatMap((spec) => spec.dryRun ?? []), ...assembly.dryRun];
  const retention = [
    ...specs.flatMap((spec) => spec.measurementRetention ?? []),
    ...assembly.measurementRetention,
  ];
  return {
    spec: {
      metrics,
      ...(args.length === 0 ? {} : { args }),
      ...(dryRun.length === 0 ? {} : { dryRun }),
      ...(retention.length === 0 ? {} : { measurementRetention: retention }),
    },
  };
};
