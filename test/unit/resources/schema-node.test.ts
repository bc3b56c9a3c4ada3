import { describe, expect, it } from 'vitest';
import { schemaOf } from '../../../src/resources/schema-node.js';
import type { SchemaNode } from '../../../src/resources/schema-node.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { services } from '../../../src/resources/kinds/services.js';

const at = (node: SchemaNode | undefined, path: string): SchemaNode | undefined =>
  path
    .split('.')
    .reduce<SchemaNode | undefined>(
      (current, step) => (step === '[]' ? current?.element() : current?.field(step)),
      node,
    );

describe('the schema of a kind', () => {
  it('matches containers by name and their ports by number and protocol', () => {
    const containers = at(schemaOf(deployments), 'spec.template.spec.containers');
    expect(containers).toMatchObject({
      type: 'array',
      mergeKey: 'name',
      patchStrategy: ['merge'],
      listType: 'map',
      listMapKeys: ['name'],
    });
    const ports = at(containers, '[].ports');
    expect(ports).toMatchObject({ mergeKey: 'containerPort', listMapKeys: ['containerPort', 'protocol'] });
    expect(at(ports, '[].protocol')).toMatchObject({ type: 'scalar', default: 'TCP' });
  });

  it('keeps lists without marks atomic', () => {
    expect(at(schemaOf(pods), 'spec.containers.[].args')).toMatchObject({
      listType: 'atomic',
      patchStrategy: [],
    });
    expect(at(schemaOf(pods), 'spec.tolerations')).toMatchObject({ listType: 'atomic' });
  });

  it('knows the lists of metadata: owners by uid, finalizers as a set', () => {
    expect(at(schemaOf(pods), 'metadata.ownerReferences')).toMatchObject({
      listType: 'map',
      listMapKeys: ['uid'],
    });
    expect(at(schemaOf(pods), 'metadata.finalizers')).toMatchObject({
      listType: 'set',
      patchStrategy: ['merge'],
    });
  });

  it('reads both strategies of volumes and the retained keys of a deployment strategy', () => {
    expect(at(schemaOf(pods), 'spec.volumes')?.patchStrategy).toEqual(['merge', 'retainKeys']);
    expect(at(schemaOf(deployments), 'spec.strategy')?.patchStrategy).toEqual(['retainKeys']);
  });

  it('has maps whose every key is a field, atomic where Kubernetes says so', () => {
    expect(at(schemaOf(pods), 'metadata.labels')).toMatchObject({ type: 'map', mapType: 'granular' });
    expect(at(schemaOf(pods), 'metadata.labels.app')?.type).toBe('scalar');
    expect(at(schemaOf(pods), 'spec.nodeSelector')?.mapType).toBe('atomic');
    expect(at(schemaOf(deployments), 'spec.selector')?.mapType).toBe('atomic');
    expect(at(schemaOf(services), 'spec.selector')?.mapType).toBe('atomic');
  });

  it('treats ports that may be a name as scalars and opaque fields as any', () => {
    expect(at(schemaOf(services), 'spec.ports.[].targetPort')?.type).toBe('scalar');
    expect(at(schemaOf(pods), 'metadata.managedFields.[].fieldsV1.f:spec')?.type).toBe('any');
  });

  it('has no node for a field that does not exist, not even an inherited one', () => {
    expect(at(schemaOf(pods), 'spec.replicas')).toBeUndefined();
    expect(at(schemaOf(pods), 'spec.constructor')).toBeUndefined();
  });

  it('makes each node once', () => {
    expect(at(schemaOf(pods), 'spec.containers')).toBe(at(schemaOf(pods), 'spec.containers'));
    expect(at(schemaOf(pods), 'metadata')).toBe(at(schemaOf(nodes), 'metadata'));
  });

  it('keeps everything of a kind without a definition but knows its metadata', () => {
    const root = schemaOf({ definition: 'dev.example.v1.Thing' });
    expect(at(root, 'spec.anything')?.type).toBe('any');
    expect(at(root, 'metadata.finalizers')?.listType).toBe('set');
  });
});
