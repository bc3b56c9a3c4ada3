// OpenAPI v2 as protobuf (gnostic's `openapi.v2.Document`), which kubectl 1.27 and 1.28 need for apply and explain.
// Field numbers: gnostic, openapiv2/OpenAPIv2.proto.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Kind } from '../kind.js';
import type { Definitions } from '../definitions.js';
import type { Operation, Parameter, Path } from './operations.js';
import { pathsOf } from './operations.js';
import type { Schema } from './schemas.js';
import { refTo, schemasOf } from './schemas.js';

type Write = (writer: BinaryWriter) => void;

const message = (writer: BinaryWriter, field: number, write: Write): void => {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
};

const string = (writer: BinaryWriter, field: number, value: unknown): void => {
  if (typeof value === 'string' && value !== '') writer.tag(field, WireType.LengthDelimited).string(value);
};

/** Repeated strings may be empty. */
const strings = (writer: BinaryWriter, field: number, values: readonly string[]): void => {
  for (const value of values) writer.tag(field, WireType.LengthDelimited).string(value);
};

/** `Named…`: the entry of a map, with its value as a message. */
const named = (writer: BinaryWriter, field: number, name: string, value: Write): void => {
  message(writer, field, (entry) => {
    string(entry, 1, name);
    message(entry, 2, value);
  });
};

/** `Any` with YAML in it; JSON is YAML. */
const any =
  (value: unknown): Write =>
  (writer) => {
    string(writer, 2, `${JSON.stringify(value)}\n`);
  };

const extensions = (writer: BinaryWriter, field: number, object: Schema): void => {
  for (const [key, value] of Object.entries(object))
    if (key.startsWith('x-')) named(writer, field, key, any(value));
};

const schema =
  (object: Schema): Write =>
  (writer) => {
    string(writer, 1, object['$ref']);
    string(writer, 2, object['format']);
    string(writer, 4, object['description']);
    if (object['default'] !== undefined) message(writer, 5, any(object['default']));
    strings(writer, 19, (object['required'] as readonly string[] | undefined) ?? []);
    const values = object['additionalProperties'] as Schema | undefined;
    if (values !== undefined) message(writer, 21, (item) => message(item, 1, schema(values)));
    const type = object['type'] as string | undefined;
    if (type !== undefined) message(writer, 22, (item) => strings(item, 1, [type]));
    const items = object['items'] as Schema | undefined;
    if (items !== undefined) message(writer, 23, (item) => message(item, 1, schema(items)));
    const properties = Object.entries(
      (object['properties'] as Readonly<Record<string, Schema>> | undefined) ?? {},
    );
    if (properties.length > 0)
      message(writer, 25, (all) => {
        for (const [name, property] of properties) named(all, 1, name, schema(property));
      });
    extensions(writer, 31, object);
  };

/** In the query (3) or in the path (4); their fields have different numbers. */
const nonBodyParameter = (
  writer: BinaryWriter,
  field: number,
  { parameter, place }: { readonly parameter: Parameter; readonly place: 'query' | 'path' },
): void => {
  const { name, type, description } = parameter;
  message(writer, field, (item) =>
    message(item, 1, (wrapped) =>
      message(wrapped, 2, (nonBody) =>
        message(nonBody, place === 'query' ? 3 : 4, (inner) => {
          if (place === 'path') inner.tag(1, WireType.Varint).bool(true);
          string(inner, 2, place);
          string(inner, 3, description);
          string(inner, 4, name);
          string(inner, place === 'query' ? 6 : 5, type);
        }),
      ),
    ),
  );
};

const bodyParameter = (writer: BinaryWriter, field: number, definition: string): void => {
  message(writer, field, (item) =>
    message(item, 1, (wrapped) =>
      message(wrapped, 1, (body) => {
        string(body, 2, 'body');
        string(body, 3, 'body');
        body.tag(4, WireType.Varint).bool(true);
        message(body, 5, schema({ $ref: refTo('v2', definition) }));
      }),
    ),
  );
};

const operation =
  ({ id, gvk, action, consumes, query, body, answer }: Operation): Write =>
  (writer) => {
    string(writer, 5, id);
    strings(writer, 6, ['application/json']);
    strings(writer, 7, consumes.length > 0 ? consumes : ['*/*']);
    if (body !== undefined) bodyParameter(writer, 8, body);
    for (const parameter of query) nonBodyParameter(writer, 8, { parameter, place: 'query' });
    message(writer, 9, (responses) =>
      named(responses, 1, '200', (value) =>
        message(value, 1, (response) => {
          string(response, 1, 'OK');
          message(response, 2, (item) => message(item, 1, schema({ $ref: refTo('v2', answer) })));
        }),
      ),
    );
    extensions(writer, 13, { 'x-kubernetes-action': action, 'x-kubernetes-group-version-kind': gvk });
  };

const methodFields = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

const pathItem =
  ({ parameters, operations }: Path): Write =>
  (writer) => {
    for (const one of operations) message(writer, methodFields[one.method], operation(one));
    for (const parameter of parameters) nonBodyParameter(writer, 9, { parameter, place: 'path' });
  };

export const encodeOpenApiV2 = (
  kinds: readonly Kind[],
  definitions: Definitions,
  info: { readonly title: string; readonly version: string },
): Uint8Array => {
  const writer = new BinaryWriter();
  string(writer, 1, '2.0');
  message(writer, 2, (about) => {
    string(about, 1, info.title);
    string(about, 2, info.version);
  });
  message(writer, 8, (paths) => {
    for (const path of kinds.flatMap(pathsOf)) named(paths, 2, path.path, pathItem(path));
  });
  message(writer, 9, (all) => {
    for (const [name, definition] of Object.entries(schemasOf('v2', kinds, definitions)))
      named(all, 1, name, schema(definition));
  });
  return writer.finish();
};
