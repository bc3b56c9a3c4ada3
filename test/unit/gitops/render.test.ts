// Folders that are rendered by kustomize and helm.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directoryReader } from '../../../src/gitops/directory-reader.js';
import { problemText } from '../../../src/gitops/problem.js';
import { readRevision, problemsOf, type Revision } from '../../../src/gitops/revision.js';
import { SnapshotLoader } from '../../../src/gitops/snapshot.js';
import { toolRenderer } from '../../../src/host/git/tool-renderer.js';
import { kinds } from '../../../src/resources/kinds.js';
import { config, configMap } from './git-cluster.js';

const signal = new AbortController().signal;

const revisionOf = async (files: Readonly<Record<string, string>>): Promise<Revision> => {
  const { reader, commit } = directoryReader(new Map(Object.entries(files)));
  const rules = { kinds };
  const snapshot = await new SnapshotLoader(rules).load(reader, commit, { signal });
  return readRevision(snapshot, { reader, rules, renderer: toolRenderer, signal });
};

const kustomized = {
  'capstan.yaml': config('{name: web, path: overlays/web, namespace: default}'),
  'base/kustomization.yaml': 'resources: [c.yaml]\n',
  'base/c.yaml': configMap('c'),
  'overlays/web/kustomization.yaml': 'namePrefix: my-\nresources: [../../base]\n',
};

let path: string | undefined;
beforeEach(() => {
  path = process.env['PATH'];
});
afterEach(() => {
  process.env['PATH'] = path;
});

describe('a folder with a kustomization', () => {
  it('is rendered by kubectl, with what it refers to elsewhere in the repository', async () => {
    const revision = await revisionOf(kustomized);
    expect(problemsOf(revision).map(problemText)).toEqual([]);
    expect(revision.applications.get('web')?.objects.map(({ id }) => id)).toEqual([
      'core/configmaps/default/my-c',
    ]);
  });

  it('says what kustomize refuses', async () => {
    const revision = await revisionOf({
      ...kustomized,
      'overlays/web/kustomization.yaml': 'resources: [absent.yaml]\n',
    });
    expect(problemsOf(revision).map(problemText)).toEqual([
      expect.stringMatching(/^overlays\/web\/kustomization\.yaml:1:1: kubectl refuses it: .*absent\.yaml/),
    ]);
  });

  it('says what to install where there is nothing to render it', async () => {
    process.env['PATH'] = '/nonexistent';
    const revision = await revisionOf(kustomized);
    expect(problemsOf(revision).map(problemText)).toEqual([
      expect.stringMatching(
        /^overlays\/web\/kustomization\.yaml:1:1: .*there is no kubectl to render it: apt-get install kubernetes-client/,
      ),
    ]);
  });
});

describe('a folder with a chart', () => {
  it('says what to install where there is no helm', async () => {
    process.env['PATH'] = '/nonexistent';
    const revision = await revisionOf({
      'capstan.yaml': config('{name: web, path: web, namespace: default}'),
      'web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
      'web/templates/c.yaml': '{{ .Values.x }}\n',
    });
    expect(problemsOf(revision).map(problemText)).toEqual([
      expect.stringMatching(
        /^web\/Chart\.yaml:1:1: this folder has a Chart\.yaml, and there is no helm to render it/,
      ),
    ]);
  });
});

describe('a repository without capstan.yaml', () => {
  it('has an application for every top-level folder with manifests', async () => {
    const revision = await revisionOf({
      'README.md': 'x',
      'docs/guide.md': 'x',
      'shop/deep/c.yaml': configMap('c', '1', 'default'),
      'web/c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d","namespace":"default"}}',
      '.github/workflows/ci.yaml': 'on: push\n',
    });
    expect(problemsOf(revision)).toEqual([]);
    expect([...revision.applications.keys()]).toEqual(['shop', 'web']);
  });
});
