// CustomResourceDefinitions for tests, made of the schema of their spec.
import { customKinds } from '../../../../src/resources/custom/custom-kind.js';
import type { CustomResourceDefinition } from '../../../../src/resources/generated/types.js';
import type { Kind } from '../../../../src/resources/kind.js';
import { customresourcedefinitions } from '../../../../src/resources/kinds/customresourcedefinitions.js';

export interface Parts {
  readonly spec?: object;
  /** In place of one version `v1` with the schema of `spec`. */
  readonly versions?: readonly object[];
  readonly names?: object;
  readonly more?: object;
}

export const definition = ({
  spec = {},
  versions,
  names = {},
  more = {},
}: Parts = {}): CustomResourceDefinition => {
  const plural = (names as { plural?: string }).plural ?? 'gadgets';
  return customresourcedefinitions.defaulted({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.example.com`,
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2025-01-01T00:00:00Z',
    },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'gadgets', kind: 'Gadget', ...names },
      versions: versions ?? [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', ...spec } } } },
        },
      ],
      ...more,
    },
  } as CustomResourceDefinition);
};

/** The kind of the stored version. */
export const kindWith = (spec: object): Kind => customKinds(definition({ spec }))!.stored;

export const gadget = (spec: unknown, apiVersion = 'example.com/v1') => ({
  apiVersion,
  kind: 'Gadget',
  metadata: {
    name: 'a',
    namespace: 'n',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2025-01-01T00:00:00Z',
  },
  spec,
});
