// What the daemon answers about the Git loop, as commands read it.
import type {
  ApplicationSpec,
  ApplicationStatus,
  RepositoryStatus,
  RepositorySync,
} from '../resources/generated/types.js';

export interface ProblemAnswer {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface PlanAnswer {
  readonly revision: string;
  readonly problems: readonly ProblemAnswer[];
  readonly applications: readonly {
    readonly application: string;
    readonly changes: readonly unknown[];
    readonly problems: readonly ProblemAnswer[];
  }[];
  readonly text: readonly string[];
}

export interface StatusAnswer {
  readonly repository: RepositoryStatus & {
    readonly address: string;
    readonly branch: string;
    /** The head was read since the daemon started. */
    readonly current: boolean;
  };
  readonly applications: readonly (ApplicationSpec & ApplicationStatus & { readonly name: string })[];
}

export interface HistoryAnswer {
  readonly items: readonly RepositorySync[];
}

export const problemLine = ({ file, line, column, message }: ProblemAnswer): string =>
  `${file}:${String(line)}:${String(column)}: ${message}`;

export const hasProblems = ({ problems, applications }: PlanAnswer): boolean =>
  problems.length > 0 || applications.some((application) => application.problems.length > 0);
