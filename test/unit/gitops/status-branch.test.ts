import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '../../../src/base/log.js';
import { createInformers } from '../../../src/client/informers.js';
import { StatusBranch } from '../../../src/gitops/status-branch.js';
import { openSource } from '../../../src/host/git/open-source.js';
import { systemClock } from '../../../src/host/system-clock.js';
import { analysisruns } from '../../../src/resources/kinds/analysisruns.js';
import { applications } from '../../../src/resources/kinds/applications.js';
import { repositories } from '../../../src/resources/kinds/repositories.js';
import { rollouts } from '../../../src/resources/kinds/rollouts.js';
import { eventually, git } from '../../contract/git-fixtures.js';
import { GitCluster } from './git-cluster.js';

let here: GitCluster;

beforeEach(async () => {
  here = new GitCluster();
  here.repository.publish({ 'README.md': 'nothing to run\n' });
  await here.start({ follow: false });
});
afterEach(async () => {
  await here.destroy();
});

const openBranch = async (mostCommits: number) => {
  const { cluster, signal, repository } = here;
  const informers = createInformers({
    cluster,
    kinds: [applications, repositories, rollouts, analysisruns],
    clock: systemClock,
    log: silent,
    random: () => 0.5,
  });
  void informers.run(signal);
  await informers.ready(signal);
  const source = await openSource(
    { address: repository.bare, branch: 'main', mirrors: here.root.path, own: true },
    signal,
  );
  const branch = new StatusBranch({
    source,
    informers,
    author: { name: 'Capstan', email: 'capstan@test.cluster' },
    clock: systemClock,
    log: silent,
    config: () => ({ branch: 'capstan/status', minIntervalMs: 0 }),
    mostCommits,
  });
  const say = async (message: string): Promise<void> => {
    const object = { metadata: { name: 'web' }, spec: { path: 'web' } };
    const current = await cluster.apply(applications, object, { fieldManager: 'test' });
    await cluster.updateStatus(applications, { ...current, status: { phase: 'Healthy', message } });
    await eventually(() =>
      expect(informers.view.get(applications, { name: 'web' })?.status?.message).toBe(message),
    );
    await branch.write(signal);
  };
  return { branch, say };
};

const count = (): number => Number(git(here.repository.bare, 'rev-list', '--count', 'capstan/status'));

describe('the history of the status branch', () => {
  it('starts over after a number of commits, so that it never grows without bound', async () => {
    const { say } = await openBranch(5);
    const counts: number[] = [];
    for (let index = 0; index < 12; index += 1) {
      await say(`message ${String(index)}`);
      counts.push(count());
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2]);
    expect(here.statusFile('status/applications/web.yaml')).toContain('message: message 11\n');
    git(here.repository.bare, 'fsck', '--strict');
  });

  it('is counted by whoever comes next, and nothing is written that is there already', async () => {
    const first = await openBranch(3);
    await first.say('one');
    await first.say('two');
    const tip = git(here.repository.bare, 'rev-parse', 'capstan/status');
    const second = await openBranch(3);
    await second.branch.write(here.signal);
    expect(git(here.repository.bare, 'rev-parse', 'capstan/status')).toBe(tip);
    await second.say('three');
    expect(count()).toBe(3);
    await second.say('four');
    expect(count()).toBe(1);
  });
});
