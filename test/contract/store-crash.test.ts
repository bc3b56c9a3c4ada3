// A writer is killed at random moments, again and again on one directory: what it acknowledged is there, whole.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLmdbEngine } from '../../src/host/lmdb/lmdb-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { createRandom, seeds } from './random.js';
import { counterOf, decodeValue, writerOf } from './store-writer.js';

const kills = 200;
const root = resolve(import.meta.dirname, '../..');
const sources = [
  'src/base',
  'src/store',
  'src/host/lmdb',
  'test/contract/random.ts',
  'test/contract/store-writer.ts',
];

let workspace: string;

const filesOf = async (path: string): Promise<string[]> =>
  path.endsWith('.ts')
    ? [path]
    : (await readdir(join(root, path), { recursive: true }))
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(path, name));

/** Compiles the writer once: starting it through a TypeScript loader would take most of the time of the test. */
const compile = async (): Promise<void> => {
  for (const file of (await Promise.all(sources.map(filesOf))).flat()) {
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
    const { outputText } = ts.transpileModule(await readFile(join(root, file), 'utf8'), { compilerOptions });
    const output = join(workspace, file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(output), { recursive: true });
    await writeFile(output, outputText);
  }
  await writeFile(join(workspace, 'package.json'), '{"type":"module"}');
  await symlink(join(root, 'node_modules'), join(workspace, 'node_modules'));
};

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'capstan-crash-'));
  await compile();
}, 60_000);
afterAll(() => rm(workspace, { recursive: true, force: true }));

/** One write as its writer reported it, or as the store has it. */
interface Written {
  readonly key: string;
  readonly revision: number;
  /** Undefined for a deletion. */
  readonly sequence: number | undefined;
}

interface Run {
  /** Revision at which the writer found the store. */
  readonly opened: number | undefined;
  readonly acknowledged: readonly Written[];
}

const parseRun = (output: string): Run => {
  const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
  const opened = /^open (\d+)$/.exec(lines[0] ?? '')?.[1];
  const acknowledged = lines.flatMap((line) => {
    const [, key, revision, what] = /^(\/\S+) (\d+) (\d+|deleted)$/.exec(line) ?? [];
    if (key === undefined) return [];
    return [{ key, revision: Number(revision), sequence: what === 'deleted' ? undefined : Number(what) }];
  });
  return { opened: opened === undefined ? undefined : Number(opened), acknowledged };
};

/** Starts the writer and kills it the given time after its first line, or after its start. */
const runAndKill = async (
  directory: string,
  { writers, seed, afterMs, early }: { writers: number; seed: number; afterMs: number; early: boolean },
): Promise<Run> => {
  const child = spawn(
    process.execPath,
    [join(workspace, 'test/contract/store-writer.js'), directory, String(writers), String(seed)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let complaints = '';
  let kill: NodeJS.Timeout | undefined;
  const schedule = (): void => {
    kill ??= setTimeout(() => child.kill('SIGKILL'), afterMs);
  };
  if (early) schedule();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    schedule();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk));
  const signal = await new Promise((done) => child.once('close', (_, by) => done(by)));
  clearTimeout(kill);
  expect(signal, complaints).toBe('SIGKILL');
  return parseRun(output);
};

interface Found {
  readonly revision: number;
  readonly state: ReadonlyMap<string, Written>;
  readonly problems: readonly string[];
}

const readBack = async (directory: string): Promise<Found> => {
  const store = new MvccStore(await openLmdbEngine(directory));
  const { entries, revision } = store.list('');
  await store.close();
  const state = new Map<string, Written>();
  const problems: string[] = [];
  for (const { key, value, created, modified } of entries) {
    const decoded = decodeValue(value);
    state.set(key, { key, revision: modified, sequence: decoded?.sequence });
    if (decoded === undefined) problems.push(`${key} is torn`);
    else if (writerOf(key) !== decoded.writer) problems.push(`${key} has the value of another key`);
    if (!(created > 0 && created <= modified && modified <= revision))
      problems.push(`${key} has wrong revisions`);
  }
  if (new Set(entries.map(({ modified }) => modified)).size !== entries.length)
    problems.push('two entries have one revision');
  return { revision, state, problems };
};

/**
 * A writer has one write in flight, so what is found differs from what it was told in one key at most; and that key
 * shows the very write that was in flight: the counter's next number, or the number that the counter announced.
 */
const losses = (told: ReadonlyMap<string, Written>, found: ReadonlyMap<string, Written>): string[] => {
  const problems: string[] = [];
  const inFlight = new Map<number, string>();
  for (const key of new Set([...told.keys(), ...found.keys()])) {
    const [before, after] = [told.get(key), found.get(key)];
    if (before?.revision === after?.revision && before?.sequence === after?.sequence) continue;
    const writer = writerOf(key);
    const other = inFlight.get(writer);
    if (other !== undefined) problems.push(`${key} and ${other} both differ from what was acknowledged`);
    inFlight.set(writer, key);
    const counter = counterOf(writer);
    const announced = told.get(counter)?.sequence ?? 0;
    const isNext = after?.sequence === (key === counter ? announced + 1 : announced);
    const isDeleted = after === undefined && key !== counter;
    const isNewer = after === undefined || after.revision > (before?.revision ?? 0);
    if (!isNewer || !(isNext || isDeleted))
      problems.push(`${key} was acknowledged as ${JSON.stringify(before)} and is ${JSON.stringify(after)}`);
  }
  return problems;
};

for (const seed of seeds([]))
  test(`a writer that is killed ${String(kills)} times loses no acknowledged write and tears none (seed ${String(seed)})`, async () => {
    const random = createRandom(seed);
    const directory = join(workspace, 'data');
    const revisions = new Set<number>();
    let state: ReadonlyMap<string, Written> = new Map();
    let durable = 0;
    let undecided = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const early = random.chance(0.1);
      const { opened, acknowledged } = await runAndKill(directory, {
        writers: random.pick([1, 4, 16, 64]),
        seed: seed + kill,
        afterMs: random.integer(early ? 200 : 60),
        early,
      });
      const told = new Map(state);
      for (const written of acknowledged) {
        if (written.revision <= durable || revisions.has(written.revision))
          expect.fail(`revision ${String(written.revision)} was given twice`);
        revisions.add(written.revision);
        if (written.sequence === undefined) told.delete(written.key);
        else told.set(written.key, written);
      }
      const found = await readBack(directory);
      expect([...found.problems, ...losses(told, found.state)], `after kill ${String(kill + 1)}`).toEqual([]);
      expect(opened ?? durable).toBe(durable);
      expect(found.revision).toBeGreaterThanOrEqual(
        Math.max(durable, ...acknowledged.map((each) => each.revision)),
      );
      undecided += found.revision - durable - acknowledged.length;
      state = found.state;
      durable = found.revision;
    }
    // Otherwise the kills came when nothing happened, and prove nothing.
    expect(revisions.size).toBeGreaterThan(kills * 10);
    expect(undecided).toBeGreaterThan(0);
  }, 180_000);
