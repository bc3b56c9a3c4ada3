// A definition and its objects in one push: read, planned and carried out together.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { customKinds } from '../../../src/resources/custom/custom-kind.js';
import type { Kind } from '../../../src/resources/kind.js';
import { customresourcedefinitions } from '../../../src/resources/kinds/customresourcedefinitions.js';
import { eventually } from '../../contract/git-fixtures.js';
import { definition } from '../resources/custom/definitions.js';
import { config, GitCluster } from './git-cluster.js';

let here: GitCluster;

beforeEach(() => {
  here = new GitCluster();
});
afterEach(() => here.destroy());

const withSize = (more: object = {}): string => {
  const { apiVersion, kind, metadata, spec } = definition({
    spec: { properties: { size: { type: 'integer', ...more } } },
  });
  return JSON.stringify({ apiVersion, kind, metadata: { name: metadata.name }, spec });
};
const gadget = (size: unknown): string =>
  `apiVersion: example.com/v1\nkind: Gadget\nmetadata:\n  name: g\nspec:\n  size: ${String(size)}\n`;

const kind = (): Kind => customKinds(definition())!.stored;
const live = async (): Promise<unknown> => {
  const object = await here.cluster.get(kind(), { name: 'g', namespace: 'default' });
  return (object as unknown as { spec: unknown }).spec;
};
const problems = (): readonly string[] =>
  (here.application('web')?.status?.errors ?? []).map(
    ({ file, line, message }) => `${file}:${String(line)} ${message}`,
  );

describe('an application with a definition and its objects', () => {
  it('is applied in order, changed together, and taken away together', async () => {
    here.repository.publish({
      'capstan.yaml': config(
        '{name: web, path: web, namespace: default}',
        '{name: other, path: other, namespace: default}',
      ),
      'other/c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n',
      'web/a.yaml': gadget(1),
      'web/crd.json': withSize(),
    });
    await here.start();
    await eventually(async () => expect(await live()).toEqual({ size: 1 }));
    await eventually(() =>
      expect(here.application('web')?.status).toMatchObject({ phase: 'Healthy', errors: [] }),
    );

    here.repository.publish({ 'web/crd.json': withSize({ maximum: 9 }), 'web/a.yaml': gadget(5) });
    await eventually(async () => expect(await live()).toEqual({ size: 5 }));

    here.repository.publish({ 'web/a.yaml': gadget(10) });
    await eventually(() =>
      expect(problems()).toEqual([
        'web/a.yaml:6 Gadget g: spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9',
      ]),
    );
    expect(await live()).toEqual({ size: 5 });
  });

  it('is refused with the place of the error, before its definition is there', async () => {
    here.repository.publish({
      'capstan.yaml': config('{name: web, path: web, namespace: default}'),
      'web/a.yaml': gadget('big'),
      'web/crd.json': withSize(),
    });
    await here.start();
    await eventually(() =>
      expect(problems()).toEqual([
        'web/a.yaml:6 Gadget g: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
      ]),
    );
    await expect(
      here.cluster.get(customresourcedefinitions, { name: 'gadgets.example.com' }),
    ).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('waits for a definition that comes by another way', async () => {
    here.repository.publish({
      'capstan.yaml': config('{name: web, path: web, namespace: default}'),
      'web/a.yaml': gadget(3),
    });
    await here.start();
    await eventually(() =>
      expect(problems()).toEqual([expect.stringContaining('there is no kind Gadget in example.com/v1')]),
    );
    const { metadata, spec } = definition({ spec: { properties: { size: { type: 'integer' } } } });
    await here.cluster.create(customresourcedefinitions, { metadata: { name: metadata.name }, spec });
    await eventually(async () => expect(await live()).toEqual({ size: 3 }));
  });
});
