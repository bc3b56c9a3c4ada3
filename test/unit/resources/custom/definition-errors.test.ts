import { describe, expect, it } from 'vitest';
import { customresourcedefinitions } from '../../../../src/resources/kinds/customresourcedefinitions.js';
import type { CustomResourceDefinition } from '../../../../src/resources/generated/types.js';
import { definition } from './definitions.js';
import type { Parts } from './definitions.js';

const sentences = (parts: Parts, old?: CustomResourceDefinition): readonly string[] =>
  customresourcedefinitions
    .validate(definition(parts), old)
    .map(({ field, message }) => `${field}: ${message}`);

const root = 'spec.versions[0].schema.openAPIV3Schema';
const version = (more: object = {}) => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
    },
  },
  ...more,
});

describe('definitions', () => {
  it('of a structural schema are accepted', () => {
    expect(sentences({ spec: { properties: { a: { type: 'string' } } } })).toEqual([]);
  });

  it.each([
    [
      { a: {} },
      `${root}.properties[spec].properties[a].type: Required value: must not be empty for specified object fields`,
    ],
    [
      { a: { type: 'array' } },
      `${root}.properties[spec].properties[a].items: Required value: must be specified`,
    ],
    [
      { a: { type: 'array', items: {} } },
      `${root}.properties[spec].properties[a].items.type: Required value: must not be empty for specified array items`,
    ],
    [{ a: { type: 'string', pattern: '(' } }, /must be a valid regular expression, but isn't/],
    [
      { a: { type: 'string', anyOf: [{ type: 'string' }] } },
      `${root}.properties[spec].properties[a].anyOf[0].type: Forbidden: must be empty to be structural`,
    ],
    [{ a: { type: 'integer', default: 'x' } }, /properties\[a\]\.default: Invalid value: "string"/],
    [
      {
        a: {
          type: 'array',
          items: { type: 'object', properties: { k: { type: 'string' } } },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
        },
      },
      /it must have a default or be a required property/,
    ],
    [
      { a: { type: 'object', properties: {}, additionalProperties: { type: 'string' } } },
      /additionalProperties and properties are mutual exclusive/,
    ],
    [
      {
        a: {
          type: 'object',
          properties: { b: { type: 'string' } },
          'x-kubernetes-validations': [{ rule: 'self.c == 1' }],
        },
      },
      /rule: Invalid value: "self.c == 1": compilation failed: undefined field 'c'/,
    ],
    [
      {
        a: {
          type: 'object',
          properties: { b: { type: 'string' } },
          'x-kubernetes-validations': [{ rule: 'self.b ==' }],
        },
      },
      /compilation failed/,
    ],
  ])('with %j in their schema are refused', (properties, sentence) => {
    const found = sentences({ spec: { properties } });
    expect(found).toHaveLength(1);
    if (typeof sentence === 'string') expect(found).toEqual([sentence]);
    else expect(found[0]).toMatch(sentence);
  });

  it('have one stored version, and a name of plural and group', () => {
    expect(sentences({ versions: [version({ storage: false })] })).toEqual([
      'spec.versions: Invalid value: 0: must have exactly one version marked as storage version',
    ]);
    const wrong = { ...definition(), metadata: { ...definition().metadata, name: 'x' } };
    expect(customresourcedefinitions.validate(wrong, undefined)[0]?.message).toMatch(
      /must be spec.names.plural\+"."\+spec.group/,
    );
  });

  it('select and scale by fields that are there', () => {
    expect(
      sentences({ versions: [version({ selectableFields: [{ jsonPath: '.spec.other' }] })] })[0],
    ).toMatch(/must point to a field/);
    expect(
      sentences({
        versions: [
          version({
            subresources: { scale: { specReplicasPath: '.size', statusReplicasPath: '.status.size' } },
          }),
        ],
      }),
    ).toEqual([
      'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".size": should be a json path under .spec',
    ]);
  });

  it('keep the versions that objects may be stored in', () => {
    const old = { ...definition(), status: { storedVersions: ['v0', 'v1'] } } as CustomResourceDefinition;
    expect(sentences({}, old)[0]).toMatch(
      /status.storedVersions\[0\]: Invalid value: "v0": missing from spec.versions/,
    );
  });
});
