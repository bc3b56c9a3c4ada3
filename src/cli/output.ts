// Everything that commands print for people and programs.
import { stringify } from 'yaml';

export type OutputFormat = 'table' | 'json' | 'yaml';

export interface Output {
  /** Colours and progress make sense. */
  readonly isTerminal: boolean;
  /** Standard output, one line. */
  line(text: string): void;
  /** Standard error, one line. */
  note(text: string): void;
  /** Standard output as it is. */
  raw(text: string): void;
}

/** Columns as wide as their widest cell, three spaces apart, like kubectl. */
export const renderTable = (header: readonly string[], rows: readonly (readonly string[])[]): string[] => {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('   ')
      .trimEnd(),
  );
};

/** Prints `value` as JSON or YAML, or lets `table` print lines for people. */
export const print = (
  output: Output,
  format: OutputFormat,
  value: unknown,
  table: () => readonly string[],
): void => {
  if (format === 'json') output.line(JSON.stringify(value, null, 2));
  else if (format === 'yaml') output.raw(stringify(value));
  else for (const line of table()) output.line(line);
};
