// What is wrong in a file of the cluster repository, and exactly where.
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly message: string;
  /** Nothing is wrong in the file: what it asks for is not done before somebody says that it is meant. */
  readonly held?: true;
}

/** `apps/web/web.yaml:12:9: …`, which editors and terminals make a link of. */
export const problemText = ({ file, line, column, message }: Problem): string =>
  `${file}:${line}:${column}: ${message}`;

export const byPosition = (a: Problem, b: Problem): number =>
  (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column;
