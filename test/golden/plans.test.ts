// The example repository and changes to it, and the plans that come of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GitCluster } from '../unit/gitops/git-cluster.js';

const example = new URL('../../cluster-repo-example', import.meta.url).pathname;

const filesBelow = (directory: string, prefix = ''): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory()
        ? Object.entries(filesBelow(path, `${prefix}${entry.name}/`))
        : [[`${prefix}${entry.name}`, readFileSync(path, 'utf8')] as const];
    }),
  );

type Files = Readonly<Record<string, string>>;

const without = (files: Files, ...paths: readonly string[]): Files =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)));

const edited = (files: Files, path: string, from: string | RegExp, to: string): Files => {
  const before = files[path] ?? '';
  const after = before.replace(from, to);
  expect(after, `${path} has no ${String(from)}`).not.toBe(before);
  return { ...files, [path]: after };
};

let here: GitCluster;
const files = filesBelow(example);

const planOf = async (changed: Files): Promise<string> => {
  const { text } = await here.ask<{ text: readonly string[] }>('POST', 'plan', { files: changed });
  return `${text.join('\n')}\n`;
};

/** The example runs and is healthy. */
const running = async (): Promise<void> => {
  here.repository.publish(files);
  await here.start();
  await here.reaches('infra', 'Healthy');
  await here.reaches('web', 'Progressing');
  await here.reaches('shop', 'Progressing');
  await here.report('web', 'web', 'available');
  await here.reaches('web', 'Healthy');
};

beforeEach(() => {
  here = new GitCluster();
});
afterEach(async () => {
  await here.destroy();
});

it('the example on an empty cluster', async () => {
  await here.start({ follow: false });
  await expect(await planOf(files)).toMatchFileSnapshot('expected/empty-cluster.txt');
});

it('the example on a cluster that runs it', async () => {
  await running();
  await expect(await planOf(files)).toMatchFileSnapshot('expected/no-change.txt');
});

it('another image version', async () => {
  await running();
  await expect(await planOf(edited(files, 'apps/web/deployment.yaml', 'web:1', 'web:2'))).toMatchFileSnapshot(
    'expected/image.txt',
  );
});

it('more pods, a new page and another secret', async () => {
  await running();
  let changed = edited(files, 'apps/shop/frontend.yaml', 'replicas: 2', 'replicas: 5');
  changed = edited(changed, 'apps/web/configuration.yaml', 'Hello from Capstan', 'Welcome');
  changed = edited(changed, 'apps/web/configuration.yaml', 'change-me', 'changed');
  await expect(await planOf(changed)).toMatchFileSnapshot('expected/many-changes.txt');
});

it('a file that is gone, and an application that is gone', async () => {
  await running();
  const gone = without(files, 'apps/web/service.yaml');
  const capstan = edited(gone, 'capstan.yaml', /    - name: shop\n(      .*\n)+/, '');
  await expect(
    await planOf(without(capstan, 'apps/shop/backend.yaml', 'apps/shop/frontend.yaml')),
  ).toMatchFileSnapshot('expected/removed.txt');
});

it('errors of all kinds', async () => {
  await running();
  let changed = edited(files, 'apps/web/deployment.yaml', 'replicas: 2', 'replicas: two');
  changed = edited(changed, 'apps/web/service.yaml', 'targetPort', 'targetPrt');
  changed = edited(changed, 'apps/shop/backend.yaml', 'kind: Service', 'kind: Sevrice');
  changed = { ...changed, 'apps/infra/x.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n' };
  await expect(await planOf(changed)).toMatchFileSnapshot('expected/errors.txt');
});
