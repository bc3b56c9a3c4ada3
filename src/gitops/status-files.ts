// What stands on the status branch: STATUS.md for people, YAML for programs. Pure; nothing in it changes by itself.
import { stringify } from 'yaml';
import type { Application, ApplicationStatus, Repository } from '../resources/generated/types.js';
import { problemText, type Problem } from './problem.js';
import { rolloutFiles, rolloutTable, type RolloutFact } from './rollout-facts.js';

export interface StatusFacts {
  readonly rollouts: readonly RolloutFact[];
  readonly repository: Repository | undefined;
  readonly applications: readonly Application[];
}

const short = (revision: string | undefined): string =>
  revision === undefined ? '—' : `\`${revision.slice(0, 8)}\``;

/** A cell of a Markdown table holds one line and no bar. */
const cell = (text: string): string => text.replaceAll('\n', ' ').replaceAll('|', '\\|');

const problemsOf = (status: ApplicationStatus | undefined): readonly Problem[] =>
  (status?.errors ?? []).map(({ file = '', line = 1, column = 1, message }) => ({
    file,
    line,
    column,
    message,
  }));

const row = ({ metadata, status }: Application): string => {
  const resources = status?.resources ?? [];
  const count = status?.resourceCount ?? resources.length;
  const well = count - resources.filter(({ health }) => health !== 'Healthy').length;
  return `| ${metadata.name} | ${status?.phase ?? 'new'} | ${short(status?.revision)} | ${String(well)}/${String(count)} | ${status?.syncedAt ?? '—'} | ${cell(status?.message ?? '')} |`;
};

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines];

const where = ({
  kind,
  namespace,
  name,
}: {
  kind: string;
  namespace?: string | undefined;
  name: string;
}): string => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

const unhealthy = (applications: readonly Application[]): readonly string[] =>
  applications.flatMap(({ metadata, status }) =>
    (status?.resources ?? [])
      .filter(({ health }) => health !== 'Healthy')
      .slice(0, 20)
      .map(
        (resource) =>
          `- ${metadata.name}: ${where(resource)}: ${resource.health ?? ''}, ${resource.message ?? ''}`,
      ),
  );

const statusMarkdown = ({ repository, applications, rollouts }: StatusFacts): string => {
  const { status, spec } = repository ?? {};
  const errors = [
    ...(status?.error === undefined || status.error === '' ? [] : [`- ${status.error}`]),
    ...(status?.errors ?? []).map(
      ({ file = '', line = 1, column = 1, message }) => `- ${problemText({ file, line, column, message })}`,
    ),
    ...applications.flatMap(({ status: own }) =>
      problemsOf(own).map((problem) => `- ${problemText(problem)}`),
    ),
  ];
  const drift = applications.flatMap(({ metadata, status: own }) =>
    (own?.drift ?? []).map((item) => `- ${metadata.name}: ${where(item)} ${item.message ?? ''}`),
  );
  const history = (status?.history ?? [])
    .slice(0, 10)
    .map(
      ({ at, application, revision, outcome, message }) =>
        `- ${at} ${application} ${short(revision)} ${outcome}: ${message ?? ''}`,
    );
  return [
    '# Status',
    '',
    `Branch \`${spec?.branch ?? ''}\` is at ${short(status?.head)} ${status?.subject ?? ''}`.trimEnd(),
    '',
    '| Application | Phase | Revision | Healthy | Synced | |',
    '|---|---|---|---|---|---|',
    ...applications.map(row),
    ...section('Rollouts', rolloutTable(rollouts)),
    ...section('Errors', [...new Set(errors)]),
    ...section('Not healthy', unhealthy(applications)),
    ...section('Drift', drift),
    ...section('Lately', history),
    '',
  ].join('\n');
};

const withoutEmpty = (value: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined && member !== ''));

const clusterFile = ({ repository, applications }: StatusFacts): string =>
  stringify(
    withoutEmpty({
      branch: repository?.spec.branch,
      head: repository?.status?.head,
      observedAt: repository?.status?.observedAt,
      error: repository?.status?.error,
      errors: repository?.status?.errors ?? [],
      applications: applications.map(({ metadata, status }) =>
        withoutEmpty({
          name: metadata.name,
          phase: status?.phase,
          revision: status?.revision,
          message: status?.message,
        }),
      ),
    }),
    { lineWidth: 0 },
  );

const applicationFile = (status: ApplicationStatus): string => {
  const { revision, syncedAt, phase, message, resources, drift, errors, ...others } = status;
  const first = {
    revision,
    syncedAt,
    phase,
    message,
    resources: resources ?? [],
    drift: drift ?? [],
    errors: errors ?? [],
  };
  return stringify(withoutEmpty({ ...first, ...others }), { lineWidth: 0 });
};

/** Path -> content. */
export const statusFiles = (facts: StatusFacts): ReadonlyMap<string, string> => {
  const applications = [...facts.applications].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const sorted = { ...facts, applications };
  return new Map([
    ['STATUS.md', statusMarkdown(sorted)],
    ['status/cluster.yaml', clusterFile(sorted)],
    ...applications.map(({ metadata, status }): [string, string] => [
      `status/applications/${metadata.name}.yaml`,
      applicationFile(status ?? {}),
    ]),
    ...rolloutFiles(facts.rollouts),
  ]);
};

const badness = ['Failed', 'Degraded', 'Held', 'Progressing', 'Synced', 'Healthy'];

/** Subject and trailers of a status commit: what has changed since the one before, and the worst of how things stand. */
export const statusMessage = (before: StatusFacts | undefined, after: StatusFacts): string => {
  const old = new Map(
    before?.applications.map((application) => [application.metadata.name, application.status?.phase]),
  );
  const moved = after.applications.filter(({ metadata, status }) => old.get(metadata.name) !== status?.phase);
  const [worst] = [...after.applications].sort(
    (a, b) => badness.indexOf(a.status?.phase ?? 'Healthy') - badness.indexOf(b.status?.phase ?? 'Healthy'),
  );
  const named = moved.map(({ metadata, status }) => `${metadata.name} is ${status?.phase ?? 'new'}`);
  const { status } = after.repository ?? {};
  const subject =
    named.length === 0 ? 'Status' : `${named.slice(0, 3).join(', ')}${named.length > 3 ? ', …' : ''}`;
  return [
    subject,
    '',
    `Capstan-Revision: ${status?.head ?? 'none'}`,
    `Capstan-Phase: ${worst?.status?.phase ?? 'Synced'}`,
    `Capstan-Reason: ${(status?.error ?? worst?.status?.message ?? '').replaceAll('\n', ' ')}`,
  ].join('\n');
};
