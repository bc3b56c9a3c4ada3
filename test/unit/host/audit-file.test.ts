import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silent } from '../../../src/base/log.js';
import type { Logger } from '../../../src/base/log.js';
import { openAuditFile } from '../../../src/host/audit-file.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'audit-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (options: Partial<Parameters<typeof openAuditFile>[0]> = {}) =>
  openAuditFile({
    path: join(directory, 'logs', 'audit.log'),
    maxBytes: 1024 * 1024,
    maxFiles: 10,
    maxAgeMs: 0,
    log: silent,
    ...options,
  });
const files = () => readdirSync(join(directory, 'logs')).sort();
const read = (name: string) => readFileSync(join(directory, 'logs', name), 'utf8');

it('writes lines in order, appends after a restart, and lets only its owner read', async () => {
  for (const line of ['one', 'two']) {
    const file = open();
    file.write(line);
    await file.close();
  }
  expect(read('audit.log')).toBe('one\ntwo\n');
  expect(statSync(join(directory, 'logs', 'audit.log')).mode & 0o777).toBe(0o600);
});

it('begins a new file before the old one becomes too large, and keeps so many', async () => {
  for (let n = 0; n < 8; n += 1) {
    const file = open({ maxBytes: 100, maxFiles: 3 });
    file.write(`${String(n)}${'x'.repeat(70)}`);
    await file.close();
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  expect(files()).toHaveLength(4);
  expect(files().at(-1)).toBe('audit.log');
  expect(read('audit.log').startsWith('7')).toBe(true);
  expect(
    files()
      .slice(0, 3)
      .map((name) => read(name)[0]),
  ).toEqual(['4', '5', '6']);
});

it('removes files that are too old when it puts one aside', async () => {
  const first = open();
  first.write('x');
  await first.close();
  const old = join(directory, 'logs', 'audit-2020-01-01T00-00-00.000Z.log');
  writeFileSync(old, 'old');
  utimesSync(old, 1e9, 1e9);
  const file = open({ maxBytes: 2, maxAgeMs: 1000 });
  file.write('y');
  await file.close();
  expect(files().some((name) => name.includes('2020'))).toBe(false);
  expect(files()).toHaveLength(2);
});

it('drops what does not fit into its memory, counts it and says so', async () => {
  const warnings: unknown[] = [];
  const log: Logger = { ...silent, warn: (fields) => warnings.push(fields) };
  const file = open({ maxWaiting: 100, log });
  for (let n = 0; n < 50; n += 1) file.write('y'.repeat(20));
  expect(file.dropped()).toBe(45);
  await file.close();
  expect(read('audit.log').split('\n')).toHaveLength(6);
  expect(warnings).toEqual([{ dropped: 45, file: join(directory, 'logs', 'audit.log') }]);
});

it('goes on without a disk, and writes again when it is back', async () => {
  writeFileSync(join(directory, 'logs'), 'in the way');
  const errors: string[] = [];
  const file = open({ log: { ...silent, error: (_, message) => errors.push(message) } });
  file.write('lost');
  await new Promise((resolve) => setTimeout(resolve, 200));
  rmSync(join(directory, 'logs'));
  file.write('kept');
  await file.close();
  expect(file.dropped()).toBe(1);
  expect(errors).toEqual(['the audit log cannot be written: events are dropped until it can']);
  expect(read('audit.log')).toBe('kept\n');
});
