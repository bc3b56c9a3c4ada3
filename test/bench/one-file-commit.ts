// A commit that changes one file of 10,000: from the moved reference to the plan, against the first reading of all of them.
import { deployment, GitCluster } from '../unit/gitops/git-cluster.js';
import { git } from '../contract/git-fixtures.js';
import { median, quartileSpread, type Benchmark, type Row } from './benchmark.js';

const applications = 10;
const folders = 10;
const filesPerFolder = 100;
const repetitions = 9;

const manifest = (name: string, value: number): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  labels:
    app: ${name}
    part: ballast
data:
  value: "${String(value)}"
  settings: |
    # what a small program reads at its start
    port = 8080
    workers = 4
`;

const files = (): Record<string, string> => {
  const made: Record<string, string> = {};
  const lines: string[] = [];
  for (let a = 0; a < applications; a += 1) {
    lines.push(`    - {name: app-${String(a)}, path: apps/app-${String(a)}, namespace: default}`);
    for (let f = 0; f < folders; f += 1)
      for (let n = 0; n < filesPerFolder; n += 1) {
        const name = `object-${String(a)}-${String(f)}-${String(n)}`;
        const content = n % 2 === 0 ? manifest(name, 0) : deployment(name);
        made[`apps/app-${String(a)}/folder-${String(f)}/${name}.yaml`] = content;
      }
  }
  made['capstan.yaml'] =
    `apiVersion: capstan.dev/v1\nkind: ClusterConfig\nspec:\n  applications:\n${lines.join('\n')}\n`;
  return made;
};

interface PlanAnswer {
  readonly applications: readonly {
    readonly changes: readonly unknown[];
    readonly problems: readonly unknown[];
  }[];
}

const changesIn = ({ applications: plans }: PlanAnswer): number =>
  plans.reduce((sum, { changes, problems }) => {
    if (problems.length > 0) throw new Error(`the plan has problems: ${JSON.stringify(problems[0])}`);
    return sum + changes.length;
  }, 0);

const timedPlan = async (here: GitCluster, ref: string, expected: number): Promise<number> => {
  const start = performance.now();
  const answer = await here.ask<PlanAnswer>('POST', 'plan', { ref });
  const took = performance.now() - start;
  if (changesIn(answer) !== expected)
    throw new Error(`a plan of ${String(changesIn(answer))} changes, not ${String(expected)}`);
  return took;
};

const carriedOut = async (here: GitCluster, revision: string, signal: AbortSignal): Promise<void> => {
  for (;;) {
    signal.throwIfAborted();
    const states = Array.from({ length: applications }, (_, index) =>
      here.application(`app-${String(index)}`),
    );
    if (states.every((application) => application?.status?.revision === revision)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

export const oneFileCommit: Benchmark = {
  name: 'one-file-commit',
  run: async (signal) => {
    const here = new GitCluster();
    try {
      const total = applications * folders * filesPerFolder;
      const oid = here.repository.publish(files());
      await here.start({ follow: false });
      const full = await timedPlan(here, 'main', total);
      await here.stop();
      await here.start();
      await carriedOut(here, oid, signal);
      await timedPlan(here, 'main', 0);
      const times: number[] = [];
      for (let index = 0; index < repetitions; index += 1) {
        signal.throwIfAborted();
        const name = `object-3-5-${String(index * 2)}`;
        here.repository.commit({ [`apps/app-3/folder-5/${name}.yaml`]: manifest(name, index + 1) });
        git(here.repository.clone, 'push', '--quiet', '--force', 'origin', 'HEAD:feature');
        times.push(await timedPlan(here, 'feature', index + 1));
        // The next commit changes one file more than what is live; only the newest is new to the reader.
      }
      const ratios = times.map((time) => time / full);
      const row: Row = {
        figure: 'one-file commit in 10,000 manifests, ref change to plan',
        value: median(times),
        unit: 'ms',
        baseline: 'first full load of the same repository',
        baselineValue: full,
        ratio: median(ratios),
        spread: quartileSpread(ratios),
        aim: '≤ 1/50 and < 100 ms',
      };
      return [row];
    } finally {
      await here.destroy();
    }
  },
};
