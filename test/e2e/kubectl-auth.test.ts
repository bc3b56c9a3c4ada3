// kubectl, in every version that is at hand, asking who may do what.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiServer } from './api-server.js';
import type { TestApiServer } from './api-server.js';
import { kubectlVersions, run } from './command.js';
import type { Result } from './command.js';

let server: TestApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server.close();
});

it('kubectl is at hand', () => {
  expect(kubectlVersions(), 'install kubectl and put it on PATH').not.toEqual([]);
});

describe.each(kubectlVersions())('kubectl $version', ({ version, program }) => {
  const suffix = version.replace(/\W/g, '-');
  const kubectl = (args: string): Promise<Result> =>
    run(program, ['--kubeconfig', server.kubeconfig, '--namespace', 'default', ...args.split(' ')], {
      environment: { HOME: join(server.directory, `auth-${suffix}`) },
    });
  const ada = `--as ada-${suffix}`;

  it('gives rights and asks for them', async () => {
    expect((await kubectl(`auth can-i delete nodes`)).stdout).toBe('yes\n');
    const before = await kubectl(`auth can-i list pods ${ada}`);
    expect(before).toMatchObject({ code: 1, stdout: 'no\n' });
    const made = [
      await kubectl(`create role logs-${suffix} --verb=get,list --resource=pods,pods/log`),
      await kubectl(`create rolebinding logs-${suffix} --role=logs-${suffix} --user=ada-${suffix}`),
    ];
    expect(made.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(['0', '0']);
    expect(await kubectl(`auth can-i list pods ${ada}`)).toMatchObject({ code: 0, stdout: 'yes\n' });
    expect((await kubectl(`auth can-i get pods --subresource=log ${ada}`)).stdout).toBe('yes\n');
    expect((await kubectl(`auth can-i list pods -A ${ada}`)).stdout).toBe('no\n');
    expect((await kubectl(`auth can-i get /healthz ${ada}`)).stdout).toBe('yes\n');
    const list = await kubectl(`auth can-i --list ${ada}`);
    expect(list.stdout).toMatch(/^pods\s+\[\]\s+\[\]\s+\[get list\]/m);
    expect(await kubectl(`get pods ${ada}`)).toMatchObject({ code: 0 });
    expect((await kubectl(`get secrets ${ada}`)).stderr).toBe(
      `Error from server (Forbidden): secrets is forbidden: User "ada-${suffix}" cannot list resource "secrets" in API group "" in the namespace "default"\n`,
    );
    expect((await kubectl(`describe role logs-${suffix}`)).stdout).toMatch(
      /pods\/log\s+\[\]\s+\[\]\s+\[get list\]/,
    );
  });

  it.runIf(/^1\.(2[7-9]|3\d)$/.test(version))('says who asks', async () => {
    const me = await kubectl(`auth whoami -o json`);
    expect(me.code, me.stderr).toBe(0);
    expect(JSON.parse(me.stdout)).toMatchObject({
      status: { userInfo: { groups: ['system:masters', 'people', 'system:authenticated'] } },
    });
  });
});
