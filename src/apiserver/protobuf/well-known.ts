// Messages whose JSON is not an object: times, quantities, ports that are numbers or names, and embedded JSON.
import { BinaryReader } from '@bufbuild/protobuf/wire';

type Convert = (bytes: Uint8Array, envelope: (bytes: Uint8Array) => unknown) => unknown;

/** Calls `read` with each field; it reads the value, or says false to have it skipped. */
const fields = (bytes: Uint8Array, read: (number: number, reader: BinaryReader) => boolean): void => {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (!read(number, reader)) reader.skip(wireType);
  }
};

const quantity: Convert = (bytes) => {
  let text = '0';
  fields(bytes, (number, reader) => {
    if (number !== 1) return false;
    text = reader.string();
    return true;
  });
  return text;
};

const intOrString: Convert = (bytes) => {
  const message = { isText: false, value: 0, text: '' };
  fields(bytes, (number, reader) => {
    if (number === 1) message.isText = Number(reader.int64()) === 1;
    else if (number === 2) message.value = reader.int32();
    else if (number === 3) message.text = reader.string();
    else return false;
    return true;
  });
  return message.isText ? message.text : message.value;
};

/** Undefined for Go's zero time, which an absent timestamp is sent as. */
const time =
  (digits: 0 | 6): Convert =>
  (bytes) => {
    let seconds: number | undefined;
    let nanos = 0;
    fields(bytes, (number, reader) => {
      if (number === 1) seconds = Number(reader.int64());
      else if (number === 2) nanos = reader.int32();
      else return false;
      return true;
    });
    if (seconds === undefined) return undefined;
    const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
    if (digits === 0) return `${whole}Z`;
    return `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
  };

const rawBytes = (bytes: Uint8Array): Uint8Array => {
  let raw: Uint8Array = new Uint8Array();
  fields(bytes, (number, reader) => {
    if (number !== 1) return false;
    raw = reader.bytes();
    return true;
  });
  return raw;
};

/** JSON inside protobuf, or another envelope. */
const rawJson: Convert = (bytes, envelope) => {
  const raw = rawBytes(bytes);
  if (raw.byteLength === 0) return undefined;
  if (raw[0] === 0x6b && raw[3] === 0) return envelope(raw);
  return JSON.parse(Buffer.from(raw).toString('utf8')) as unknown;
};

/** Nanoseconds -> `1h2m3.5s`, as Go writes a duration. */
const duration: Convert = (bytes) => {
  let nanos = 0;
  fields(bytes, (number, reader) => {
    if (number !== 1) return false;
    nanos = Number(reader.int64());
    return true;
  });
  const total = Math.abs(nanos) / 1e9;
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = Number((total % 60).toFixed(9));
  const text = `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
  return nanos < 0 ? `-${text}` : text;
};

/** A message that holds nothing but a list stands for that list. */
const strings: Convert = (bytes) => {
  const items: string[] = [];
  fields(bytes, (number, reader) => {
    if (number !== 1) return false;
    items.push(reader.string());
    return true;
  });
  return items;
};

const metaV1 = 'k8s.io.apimachinery.pkg.apis.meta.v1';

export const wellKnown: Readonly<Record<string, Convert>> = {
  'k8s.io.apimachinery.pkg.api.resource.Quantity': quantity,
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': intOrString,
  'k8s.io.apimachinery.pkg.runtime.RawExtension': rawJson,
  [`${metaV1}.Time`]: time(0),
  [`${metaV1}.MicroTime`]: time(6),
  [`${metaV1}.FieldsV1`]: rawJson,
  [`${metaV1}.Duration`]: duration,
  [`${metaV1}.Verbs`]: strings,
  'k8s.io.api.authentication.v1.ExtraValue': strings,
  'k8s.io.api.authorization.v1.ExtraValue': strings,
  'k8s.io.api.certificates.v1.ExtraValue': strings,
};
