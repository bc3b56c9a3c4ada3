// A plan for people (push output, `capstan plan`) and for programs.
import { apiVersionOf } from '../resources/kind.js';
import { displayName } from '../resources/resource.js';
import type { FieldDifference } from './difference.js';
import type { ApplicationPlan, Change } from './plan.js';
import { problemText, type Problem } from './problem.js';

export interface Plan {
  readonly revision: string;
  /** What is wrong with the repository as a whole. */
  readonly problems: readonly Problem[];
  readonly applications: readonly ApplicationPlan[];
}

const signs = { create: '+', update: '~', delete: '-' } as const;
const colours = { create: 32, update: 33, delete: 31 } as const;

const paint = (text: string, colour: number, coloured: boolean): string =>
  coloured ? `\u001b[${String(colour)}m${text}\u001b[0m` : text;

const most = 60;

const valueText = (value: unknown): string => {
  if (value === undefined) return '(none)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const line = text.replaceAll('\n', '\\n');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
};

const fieldText = ({ field, from, to }: FieldDifference): string =>
  `      ${field}: ${valueText(from)} -> ${valueText(to)}`;

const consequence = (change: Change): string => {
  if (change.action !== 'update') return '';
  const parts = [
    ...(change.rolls > 0 ? [`rolls ${String(change.rolls)} ${change.rolls === 1 ? 'pod' : 'pods'}`] : []),
    ...(change.note === undefined ? [] : [change.note]),
  ];
  return parts.length === 0 ? '' : `   (${parts.join('; ')})`;
};

const mostFields = 8;

const changeLines = (change: Change, coloured: boolean): readonly string[] => {
  const head = `  ${signs[change.action]} ${change.action} ${change.kind.kind} ${displayName(change.name)}`;
  const fields = change.action === 'update' ? change.fields : [];
  return [
    `${paint(head, colours[change.action], coloured)}${consequence(change)}`,
    ...fields.slice(0, mostFields).map(fieldText),
    ...(fields.length > mostFields ? [`      and ${String(fields.length - mostFields)} more fields`] : []),
  ];
};

const mostChanges = 40;

const applicationLines = (plan: ApplicationPlan, coloured: boolean): readonly string[] => [
  `${plan.application}: ${plan.because}${plan.changes.length > 0 && plan.after.length > 0 ? `, after ${plan.after.join(', ')}` : ''}`,
  ...plan.problems.map((problem) => `  ${problemText(problem)}`),
  ...plan.changes.slice(0, mostChanges).flatMap((change) => changeLines(change, coloured)),
  ...(plan.changes.length > mostChanges
    ? [`  and ${String(plan.changes.length - mostChanges)} more changes`]
    : []),
  ...plan.kept.map(
    ({ kind, name }) => `  = ${kind.kind} ${displayName(name)} has left the repository and is kept`,
  ),
];

/** Applications without changes share one line. */
export const planLines = (plan: Plan, options: { readonly coloured: boolean }): readonly string[] => {
  const quiet = plan.applications.filter(
    ({ changes, problems, kept }) => changes.length + problems.length + kept.length === 0,
  );
  const loud = plan.applications.filter((application) => !quiet.includes(application));
  return [
    `Plan of ${/^[0-9a-f]{40,}$/.test(plan.revision) ? plan.revision.slice(0, 8) : plan.revision}`,
    ...plan.problems.map(problemText),
    ...loud.flatMap((application) => applicationLines(application, options.coloured)),
    ...(quiet.length > 0 ? [`No change: ${quiet.map(({ application }) => application).join(', ')}`] : []),
  ];
};

const changeDocument = (change: Change): Readonly<Record<string, unknown>> => ({
  action: change.action,
  apiVersion: apiVersionOf(change.kind),
  kind: change.kind.kind,
  ...(change.name.namespace === undefined ? {} : { namespace: change.name.namespace }),
  name: change.name.name,
  ...(change.action === 'delete'
    ? {}
    : { file: change.desired.file, line: change.desired.manifest.position.line }),
  ...(change.action === 'update'
    ? {
        fields: change.fields,
        ...(change.rolls > 0 ? { rolls: change.rolls } : {}),
        ...(change.note === undefined ? {} : { note: change.note }),
      }
    : {}),
});

/** JSON, without the objects themselves. */
export const planDocument = (plan: Plan): Readonly<Record<string, unknown>> => ({
  revision: plan.revision,
  problems: plan.problems,
  applications: plan.applications.map(
    ({ application, because, changes, unchanged, kept, problems, after }) => ({
      application,
      because,
      after,
      changes: changes.map(changeDocument),
      unchanged,
      kept: kept.map(({ kind, name }) => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...name })),
      problems,
    }),
  ),
});
