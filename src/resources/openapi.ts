// OpenAPI documents of the kinds: what kubectl reads before it applies, validates and explains.
import { describedDefinitions } from './definitions.js';
import type { Kind } from './kind.js';
import { encodeOpenApiV2 } from './openapi/gnostic.js';
import type { Operation, Parameter, Path } from './openapi/operations.js';
import { apiRoot, pathsOf } from './openapi/operations.js';
import { refTo, schemasOf } from './openapi/schemas.js';

const info = { title: 'Capstan', version: 'v1.33.0' } as const;

/** `GET /openapi/v3`: where the document of each group and version is. */
export const openApiIndex = (
  kinds: readonly Kind[],
): { readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>> } => ({
  paths: Object.fromEntries(
    kinds.map((kind) => [apiRoot(kind), { serverRelativeURL: `/openapi/v3/${apiRoot(kind)}` }] as const),
  ),
});

const parameter = ({ name, type, description }: Parameter, place: 'query' | 'path'): unknown => ({
  name,
  in: place,
  description,
  ...(place === 'path' ? { required: true } : {}),
  schema: { type, uniqueItems: true },
});

const content = (types: readonly string[], definition: string): unknown =>
  Object.fromEntries(types.map((type) => [type, { schema: { $ref: refTo('v3', definition) } }]));

const operation = ({ id, action, gvk, query, consumes, body, answer }: Operation): unknown => ({
  operationId: id,
  ...(query.length === 0 ? {} : { parameters: query.map((one) => parameter(one, 'query')) }),
  ...(body === undefined ? {} : { requestBody: { required: true, content: content(consumes, body) } }),
  responses: { 200: { description: 'OK', content: content(['application/json'], answer) } },
  'x-kubernetes-action': action,
  'x-kubernetes-group-version-kind': gvk,
});

const pathItem = ({ parameters, operations }: Path): unknown => ({
  ...(parameters.length === 0 ? {} : { parameters: parameters.map((one) => parameter(one, 'path')) }),
  ...Object.fromEntries(operations.map((one) => [one.method, operation(one)])),
});

/** `GET /openapi/v3/apis/GROUP/VERSION`. Made anew for each call: keep the bytes. */
export const openApiDocument = (group: string, version: string, kinds: readonly Kind[]): unknown => {
  const own = kinds.filter((kind) => kind.group === group && kind.version === version);
  return {
    openapi: '3.0.0',
    info,
    paths: Object.fromEntries(own.flatMap(pathsOf).map((path) => [path.path, pathItem(path)])),
    components: { schemas: schemasOf('v3', own, describedDefinitions()) },
  };
};

/** `GET /openapi/v2` as gnostic protobuf. Made anew for each call: keep the bytes. */
export const openApiV2Protobuf = (kinds: readonly Kind[]): Uint8Array =>
  encodeOpenApiV2(kinds, describedDefinitions(), info);
