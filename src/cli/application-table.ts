// Where applications stand, as a table and the errors below it.
import { problemLine, type StatusAnswer } from './git-answers.js';
import { renderTable } from './output.js';

const short = (revision: string | undefined): string => (revision ?? '').slice(0, 8) || '-';

export const applicationTable = ({ repository, applications }: StatusAnswer): readonly string[] => {
  const rows = applications.map(({ name, phase, revision, resources, resourceCount, message }) => {
    const count = resourceCount ?? 0;
    const well = count - (resources ?? []).filter(({ health }) => health !== 'Healthy').length;
    return [name, phase ?? 'new', short(revision), `${String(well)}/${String(count)}`, message ?? ''];
  });
  const errors = [
    ...(repository.errors ?? []),
    ...applications.flatMap((application) => application.errors ?? []),
  ].map(({ file = '', line = 1, column = 1, message }) => problemLine({ file, line, column, message }));
  const drift = applications.flatMap(({ name, drift: found }) =>
    (found ?? []).map((item) => `${name}: ${item.kind} ${item.name} ${item.message ?? ''}`),
  );
  return [
    `${repository.branch} at ${short(repository.head)}  ${repository.subject ?? ''}`.trimEnd(),
    ...(repository.error === undefined || repository.error === '' ? [] : [`error: ${repository.error}`]),
    ...(rows.length === 0
      ? ['no applications yet']
      : renderTable(['APPLICATION', 'PHASE', 'REVISION', 'HEALTHY', 'MESSAGE'], rows)),
    ...(errors.length === 0 ? [] : ['', 'Errors:', ...new Set(errors.map((line) => `  ${line}`))]),
    ...(drift.length === 0 ? [] : ['', 'Drift:', ...drift.map((line) => `  ${line}`)]),
  ];
};

/** Everything at the head of the branch runs, and is well. */
export const isHealthy = ({ repository, applications }: StatusAnswer): boolean =>
  repository.current &&
  applications.length > 0 &&
  (repository.error ?? '') === '' &&
  (repository.errors ?? []).length === 0 &&
  applications.every(({ phase, revision }) => phase === 'Healthy' && revision === repository.head);
