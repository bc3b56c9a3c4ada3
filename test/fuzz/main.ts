// `npm run fuzz -- --minutes 10 [--seed N] [--target NAME]`: tries inputs on every parser that faces the network, in a
// process of its own that is watched for hanging and for growth.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runTarget } from './run-target.js';
import { targets } from './targets.js';

interface Note {
  readonly target: string;
  readonly seed: number;
  readonly done: number;
  readonly heap: number;
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    target: { type: 'string' },
    child: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const first = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);

const mebibyte = 1024 * 1024;
/** What may stay behind after all the inputs of one target: caches have bounds. */
const growth = 96 * mebibyte;
/** Silence after which the child hangs, in milliseconds. */
const patience = 60_000;

const collected = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

const fuzz = async (): Promise<void> => {
  const chosen = targets().filter(({ name }) => values.target === undefined || name === values.target);
  if (chosen.length === 0) throw new Error(`no target is called ${String(values.target)}`);
  const share = (minutes * 60_000) / chosen.length;
  for (const target of chosen) {
    let told = 0;
    let base: number | undefined;
    const until = performance.now() + share;
    const done = await runTarget(target, {
      seed: first,
      // After the first thousand everything that is made once has been made.
      more: (count) => {
        if (count === 1000) base = collected();
        return performance.now() < until;
      },
      trying: (seed) => {
        if (performance.now() - told < 1000) return;
        told = performance.now();
        process.send?.({ target: target.name, seed, done: 0, heap: 0 } satisfies Note);
      },
    });
    const heap = collected();
    console.log(`${target.name}: ${String(done)} inputs, ${String(Math.round(heap / mebibyte))} MiB`);
    if (base !== undefined && heap - base > growth)
      throw new Error(`${target.name}: ${String(Math.round((heap - base) / mebibyte))} MiB stay behind`);
  }
};

const watch = (): void => {
  const child = fork(
    fileURLToPath(import.meta.url),
    [...process.argv.slice(2), '--child', '--seed', String(first)],
    {
      execArgv: ['--import', 'tsx', '--expose-gc', '--max-old-space-size=1024'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  let last: Note | undefined;
  let timer = setTimeout(() => undefined, 0);
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      console.error(`hangs: ${last?.target ?? 'at the start'}, near seed ${String(last?.seed ?? first)}`);
      child.kill('SIGKILL');
    }, patience);
  };
  child.on('message', (note: Note) => {
    last = note;
    alive();
  });
  child.on('exit', (code) => {
    clearTimeout(timer);
    process.exitCode = code === 0 ? 0 : 1;
    if (code !== 0) console.error(`seed ${String(first)}, last seen at ${last?.target ?? 'the start'}`);
  });
  alive();
};

if (values.child) await fuzz();
else watch();
