import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { kinds } from '../../../src/resources/kinds.js';
import { openApiDocument, openApiIndex, openApiV2Protobuf } from '../../../src/resources/openapi.js';

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}
interface Operation {
  readonly 'x-kubernetes-action': string;
  readonly 'x-kubernetes-group-version-kind': { readonly kind: string };
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
}
interface Schema {
  readonly description?: string;
  readonly properties: Record<string, Record<string, unknown>>;
  readonly 'x-kubernetes-group-version-kind'?: unknown;
}

const document = (group: string): Document => openApiDocument(group, 'v1', kinds) as Document;

/** Every `$ref` anywhere in a value. */
const refs = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(refs);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' && typeof member === 'string' ? [member] : refs(member),
  );
};

describe('the OpenAPI v3 documents', () => {
  it('are listed one for each group and version', () => {
    const { paths } = openApiIndex(kinds);
    expect(paths['api/v1']).toEqual({ serverRelativeURL: '/openapi/v3/api/v1' });
    expect(paths['apis/apps/v1']).toEqual({ serverRelativeURL: '/openapi/v3/apis/apps/v1' });
    expect(Object.keys(paths)).toHaveLength(
      new Set(kinds.map(({ group, version }) => `${group}/${version}`)).size,
    );
  });

  it.each([...new Set(kinds.map(({ group }) => group))])(
    'of group %j refer only to what they contain',
    (group) => {
      const whole = document(group);
      for (const ref of refs(whole))
        expect(whole.components.schemas, ref).toHaveProperty([ref.replace('#/components/schemas/', '')]);
    },
  );

  it('advertise fieldValidation on every write, which makes kubectl leave validation to the server', () => {
    const item = document('apps').paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'];
    for (const method of ['put', 'patch'])
      expect(item?.[method]?.parameters?.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['dryRun', 'fieldManager', 'fieldValidation']),
      );
    expect(item?.['patch']).toMatchObject({
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: 'apps', version: 'v1', kind: 'Deployment' },
    });
    expect(Object.keys(item?.['patch']?.requestBody?.content ?? {})).toContain(
      'application/apply-patch+yaml',
    );
  });

  it('have cluster-scoped kinds without a namespace and scale as autoscaling/v1', () => {
    expect(document('').paths).toHaveProperty(['/api/v1/nodes/{name}/status']);
    expect(document('').paths).not.toHaveProperty(['/api/v1/namespaces/{namespace}/nodes']);
    const scale = document('apps').paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale'];
    expect(scale?.['get']?.['x-kubernetes-group-version-kind'].kind).toBe('Scale');
  });

  it('describe fields and mark how lists merge', () => {
    const { schemas } = document('').components;
    expect(schemas['io.k8s.api.core.v1.PodSpec']?.properties['containers']).toMatchObject({
      type: 'array',
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    });
    expect(schemas['io.k8s.api.core.v1.ResourceRequirements']?.properties['limits']).toEqual({
      type: 'object',
      description: expect.stringContaining('maximum amount of compute resources') as string,
      additionalProperties: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity' },
    });
    expect(schemas['io.k8s.api.core.v1.ServicePort']?.properties['targetPort']).toMatchObject({
      allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.util.intstr.IntOrString' }],
    });
    expect(schemas['io.k8s.api.core.v1.Pod']).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Pod' }],
    });
  });
});

/** Length-delimited fields of a message: number and bytes, in order. */
const fields = (bytes: Uint8Array): readonly (readonly [number, Uint8Array])[] => {
  const reader = new BinaryReader(bytes);
  const found: [number, Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wire === WireType.LengthDelimited) found.push([number, reader.bytes()]);
    else reader.skip(wire, number);
  }
  return found;
};
const only = (bytes: Uint8Array, number: number): readonly Uint8Array[] =>
  fields(bytes).flatMap(([field, value]) => (field === number ? [value] : []));
const first = (bytes: Uint8Array, ...path: readonly number[]): Uint8Array =>
  path.reduce((value, number) => only(value, number)[0] ?? new Uint8Array(), bytes);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const entry = (entries: readonly Uint8Array[], name: string): Uint8Array =>
  first(entries.find((one) => text(first(one, 1)) === name) ?? new Uint8Array(), 2);

describe('the OpenAPI v2 document', () => {
  const bytes = openApiV2Protobuf(kinds);

  it('is a gnostic document of version 2.0', () => {
    expect(text(first(bytes, 1))).toBe('2.0');
    expect(text(first(bytes, 2, 1))).toBe('Capstan');
  });

  it('has the definitions with their merge keys as YAML', () => {
    const podSpec = entry(only(first(bytes, 9), 1), 'io.k8s.api.core.v1.PodSpec');
    expect(text(first(podSpec, 22, 1))).toBe('object');
    expect(only(podSpec, 19).map(text)).toEqual(['containers']);
    const containers = entry(only(first(podSpec, 25), 1), 'containers');
    expect(text(first(entry(only(containers, 31), 'x-kubernetes-patch-merge-key'), 2))).toBe('"name"\n');
    expect(text(first(containers, 23, 1, 1))).toBe('#/definitions/io.k8s.api.core.v1.Container');
  });

  it('advertises fieldValidation and dryRun on patches', () => {
    const item = entry(only(first(bytes, 8), 2), '/apis/apps/v1/namespaces/{namespace}/deployments/{name}');
    const patch = first(item, 8);
    const query = only(patch, 8).map((parameter) => text(first(parameter, 1, 2, 3, 4)));
    expect(query).toEqual(expect.arrayContaining(['dryRun', 'fieldValidation']));
    expect(JSON.parse(text(first(entry(only(patch, 13), 'x-kubernetes-group-version-kind'), 2)))).toEqual({
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
    });
  });
});
