// `npm run bench [-- --only NAME] [--json FILE]`: every figure beside its baseline, as a table and as JSON.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Benchmark, Row } from './benchmark.js';
import { tableOf } from './report.js';

/** One line for each benchmark; loaded when it runs, so that none pays for another's imports. */
const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  'push-to-ready': async () => (await import('./push-to-ready.js')).pushToReady,
  'pod-burst': async () => (await import('./pod-burst.js')).podBurst,
  'one-file-commit': async () => (await import('./one-file-commit.js')).oneFileCommit,
  'api-server': async () => (await import('./api-server.js')).apiServer,
  'store-writes': async () => (await import('./store-writes.js')).storeWrites,
  scheduling: async () => (await import('./scheduling.js')).scheduling,
  'service-proxy': async () => (await import('./service-proxy.js')).serviceProxy,
  idle: async () => (await import('./idle.js')).idle,
};

interface Outcome {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly error?: string;
}

const runOne = async (name: string, signal: AbortSignal): Promise<Outcome> => {
  process.stderr.write(`${name} ...\n`);
  try {
    const benchmark = await benchmarks[name]?.();
    if (benchmark === undefined)
      return {
        name,
        rows: [],
        error: `there is none of that name: choose from ${Object.keys(benchmarks).join(', ')}`,
      };
    return { name, rows: await benchmark.run(signal) };
  } catch (error) {
    return { name, rows: [], error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { only: { type: 'string', multiple: true }, json: { type: 'string' } },
  });
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new Error('interrupted'));
  });
  const outcomes: Outcome[] = [];
  for (const name of values.only ?? Object.keys(benchmarks))
    outcomes.push(await runOne(name, controller.signal));
  process.stdout.write(`${tableOf(outcomes.flatMap(({ rows }) => rows))}\n`);
  for (const { name, error } of outcomes)
    if (error !== undefined) {
      process.stderr.write(`\n${name} failed: ${error}\n`);
      process.exitCode = 1;
    }
  const json = `${JSON.stringify(outcomes, undefined, 2)}\n`;
  if (values.json === undefined) process.stdout.write(`\n${json}`);
  else await writeFile(values.json, json);
};

await main();
