// Claims on a real engine: data outlives its pod, and goes with its claim.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './command.js';
import { Machine } from './machine.js';

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.make();
  await machine.up();
});
afterAll(() => machine.destroy());

const claim = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: default}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, storageClassName: local}
`;

const pod = (name: string, command: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: default}
spec:
  restartPolicy: Never
  securityContext: {fsGroup: 2000}
  containers:
    - name: main
      image: capstan-example/web:1
      command: [sh, -c, ${JSON.stringify(command)}]
      volumeMounts: [{name: data, mountPath: /data}]
      securityContext: {runAsUser: 1000}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`;

const apply = async (manifest: string): Promise<void> => {
  const { code, stderr } = await machine.kubectl(['apply', '-f', '-'], { input: manifest });
  expect(stderr).toBe('');
  expect(code).toBe(0);
};

const phase = async (kind: string, name: string): Promise<string> =>
  (await machine.kubectl(['get', kind, name, '-o', 'jsonpath={.status.phase}'])).stdout;

const ended = (name: string): Promise<string> =>
  eventually(
    () => phase('pod', name),
    (now) => now === 'Succeeded',
    { what: `${name} is done` },
  );

const volumes = (): Promise<readonly string[]> =>
  readdir(join(machine.dataDir, 'node/volumes')).catch(() => []);

describe('a claim', () => {
  it('waits, gets a folder where its first pod is, and keeps what pods write there', async () => {
    await apply(claim);
    await eventually(
      async () => (await machine.kubectl(['describe', 'pvc', 'data'])).stdout,
      (text) => text.includes('waiting for first consumer'),
      { what: 'the claim says that it waits' },
    );
    expect(await phase('pvc', 'data')).toBe('Pending');
    await apply(pod('writer', 'echo kept > /data/file'));
    await ended('writer');
    expect(await phase('pvc', 'data')).toBe('Bound');
    const [folder] = await volumes();
    expect(await readFile(join(machine.dataDir, 'node/volumes', folder!, 'file'), 'utf8')).toBe('kept\n');
    await machine.kubectl(['delete', 'pod', 'writer', '--wait']);
    await apply(pod('reader', 'cat /data/file && ls -ln /data/file'));
    await ended('reader');
    const { stdout } = await machine.kubectl(['logs', 'reader']);
    expect(stdout).toMatch(/^kept\n.*\b1000\s+2000\b/s);
  });

  it('is kept while a pod names it, and takes its data with it when it goes', async () => {
    const { stdout } = await machine.kubectl(['get', 'pv', '--no-headers']);
    expect(stdout).toMatch(/1Gi\s+RWO\s+Delete\s+Bound\s+default\/data\s+local/);
    await machine.kubectl(['delete', 'pod', 'reader', '--wait']);
    await machine.kubectl(['delete', 'pvc', 'data', '--wait']);
    await eventually(
      async () => [(await machine.kubectl(['get', 'pv', '--no-headers'])).stdout, ...(await volumes())],
      (left) => left.join('') === '',
      { what: 'volume and data are gone' },
    );
  });
});
