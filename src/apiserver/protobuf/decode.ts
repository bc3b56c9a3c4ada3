// Kubernetes' protobuf (application/vnd.kubernetes.protobuf) -> the JSON object that means the same.
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { ClusterError, messageOf } from '../../base/errors.js';
import { protobufKinds, protobufMessages } from '../../resources/generated/protobuf-fields.js';
import type { ProtobufField } from '../../resources/generated/protobuf-fields.js';
import { isUnset } from './zero-values.js';
import { wellKnown } from './well-known.js';

/** `k8s` and a zero byte stand before the envelope. */
const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0);
const unknownMessage = 'k8s.io.apimachinery.pkg.runtime.Unknown';
const metaV1 = 'k8s.io.apimachinery.pkg.apis.meta.v1';

/** Kinds of apimachinery that come with the group and version of whatever they are sent to. */
const everywhere: ReadonlySet<string> = new Set(['DeleteOptions']);

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

interface FieldTable {
  readonly byNumber: ReadonlyMap<number, ProtobufField>;
}

/** Decodes messages; keeps an index of each table that it has used. */
class Decoder {
  readonly #tables = new Map<string, FieldTable>();

  #table(name: string): FieldTable {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const fields = protobufMessages[name];
    if (fields === undefined) throw bad(`the request body has a message of an unknown type (${name})`);
    const table = { byNumber: new Map(fields.map((field) => [field[0], field])) };
    this.#tables.set(name, table);
    return table;
  }

  #scalar(reader: BinaryReader, type: string): unknown {
    switch (type) {
      case 'string':
        return reader.string();
      case 'bool':
        return reader.bool();
      case 'int32':
        return reader.int32();
      case 'int64':
        return Number(reader.int64());
      case 'bytes':
        return Buffer.from(reader.bytes()).toString('base64');
      case 'double':
        return reader.double();
      default:
        return this.#nested(reader.bytes(), type);
    }
  }

  #nested(bytes: Uint8Array, type: string): unknown {
    const convert = wellKnown[type];
    return convert === undefined
      ? this.message(bytes, type)
      : convert(bytes, (nested) => decodeEnvelope(nested));
  }

  /** A map entry is a message of key (1) and value (2). */
  #mapEntry(bytes: Uint8Array, type: string): readonly [string, unknown] {
    const reader = new BinaryReader(bytes);
    let key = '';
    let value: unknown = type === 'string' || type === 'bytes' ? '' : undefined;
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (number === 1) key = reader.string();
      else if (number === 2) value = this.#scalar(reader, type);
      else reader.skip(wireType);
    }
    return [key, value ?? null];
  }

  message(bytes: Uint8Array, name: string): Record<string, unknown> {
    const { byNumber } = this.#table(name);
    const object: Record<string, unknown> = {};
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const field = byNumber.get(number);
      if (field === undefined) reader.skip(wireType);
      else this.#read(reader, field, object);
    }
    return object;
  }

  #read(reader: BinaryReader, [, name, type, inline]: ProtobufField, object: Record<string, unknown>): void {
    if (type.startsWith('repeated ')) {
      const list = (object[name] ??= []) as unknown[];
      list.push(this.#scalar(reader, type.slice('repeated '.length)));
    } else if (type.startsWith('map<string,')) {
      const [key, value] = this.#mapEntry(reader.bytes(), type.slice('map<string,'.length, -1));
      const map = (object[name] ??= {}) as Record<string, unknown>;
      Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    } else {
      const value = this.#scalar(reader, type);
      if (inline === 1) Object.assign(object, value);
      else if (value !== undefined && !isUnset(name, value)) object[name] = value;
    }
  }
}

const typeOf = (typeMeta: unknown): { readonly apiVersion: string; readonly kind: string } => {
  const { apiVersion = '', kind = '' } = (typeMeta ?? {}) as { apiVersion?: string; kind?: string };
  return { apiVersion, kind };
};

/** Reads the envelope's raw bytes as they are: #scalar would give base64. */
const rawOf = (bytes: Uint8Array): Uint8Array => {
  const reader = new BinaryReader(bytes);
  let raw = new Uint8Array();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 2) raw = reader.bytes() as Uint8Array<ArrayBuffer>;
    else reader.skip(wireType);
  }
  return raw;
};

/** Throws BadRequest for what is no envelope, for an unknown kind and for broken bytes. */
export const decodeEnvelope = (bytes: Uint8Array): Record<string, unknown> => {
  if (bytes.byteLength < magic.length || magic.some((byte, index) => bytes[index] !== byte))
    throw bad('the request body is not Kubernetes protobuf: it does not begin with "k8s\\0"');
  try {
    const decoder = new Decoder();
    const envelope = bytes.subarray(magic.length);
    const { apiVersion, kind } = typeOf(decoder.message(envelope, unknownMessage)['typeMeta']);
    const message = everywhere.has(kind) ? `${metaV1}.${kind}` : protobufKinds[`${apiVersion}/${kind}`];
    if (message === undefined)
      throw bad(`no protobuf is known for kind ${kind} in version ${apiVersion}: send JSON`);
    return { apiVersion, kind, ...decoder.message(rawOf(envelope), message) };
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    throw bad(`the request body is not valid protobuf: ${messageOf(error)}`);
  }
};
