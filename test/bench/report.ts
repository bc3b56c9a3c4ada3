// Figures as a table for people.
import type { Row } from './benchmark.js';

const columns = ['figure', 'value', 'baseline', 'its value', 'ratio', 'noise', 'aim'] as const;

const number = (value: number): string => {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

const ratio = (value: number): string => (value < 0.1 ? value.toPrecision(2) : value.toFixed(2));

const cellsOf = (row: Row): readonly string[] => [
  row.figure,
  `${number(row.value)} ${row.unit}`,
  row.baseline,
  `${number(row.baselineValue)} ${row.unit}`,
  ratio(row.ratio),
  row.spread === undefined ? '' : `${(row.spread * 100).toFixed(0)} %`,
  row.aim ?? '',
];

/** Aligned columns, then the notes. */
export const tableOf = (rows: readonly Row[]): string => {
  const lines = [columns, ...rows.map(cellsOf)];
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const text = lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const notes = rows.flatMap(({ figure, note }) => (note === undefined ? [] : [`${figure}: ${note}`]));
  return [...text, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
};
