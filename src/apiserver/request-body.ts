// Request bodies: JSON, YAML and Kubernetes' protobuf -> one JSON value; malformed ones are refused with their position.
import { isAscii } from 'node:buffer';
import { ClusterError, messageOf } from '../base/errors.js';
import type { HttpRequest } from '../base/http.js';
import { duplicateFields, namesTwice } from '../resources/duplicate-fields.js';

const decoder = new TextDecoder('utf-8', { fatal: true });

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

/** The media type without its parameters; '' when there is none. */
export const contentTypeOf = (request: HttpRequest): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

const textOf = (bytes: Uint8Array): string => {
  // Most bodies are ASCII, which needs no decoding.
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  try {
    return decoder.decode(bytes);
  } catch {
    throw bad('the request body is not valid UTF-8');
  }
};

/** `line 2, column 5` of an offset, counted from 1. */
const positionOf = (text: string, offset: number): string => {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${offset - before.lastIndexOf('\n')}`;
};

const tellDuplicates = (text: string, onDuplicates: OnDuplicates): void => {
  const paths = duplicateFields(text);
  if (paths.length > 0) onDuplicates(paths);
};

/** Is told the paths of fields that a JSON text names twice. */
export type OnDuplicates = (paths: readonly string[]) => void;

/** What of the text an error of JSON.parse quotes: it may be a Secret's value. */
const excerpt = /,? (?:\.\.\.)?"[^]*" ?(?:\.\.\. ?)?is not valid JSON$/;

export const parseJson = (bytes: Uint8Array, onDuplicates?: OnDuplicates): unknown => {
  const text = textOf(bytes);
  try {
    const value = JSON.parse(text) as unknown;
    if (onDuplicates !== undefined && namesTwice(text, value)) tellDuplicates(text, onDuplicates);
    return value;
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    const message = messageOf(error);
    const offset = /at position (\d+)/.exec(message)?.[1];
    const where = offset === undefined ? `line ${text.split('\n').length}` : positionOf(text, Number(offset));
    throw bad(
      `the request body is not valid JSON at ${where}: ${message.replace(/ in JSON at position.*$/s, '').replace(excerpt, '')}`,
    );
  }
};

/** YAML 1.1, as kubectl and Kubernetes read it. */
export const parseYaml = async (bytes: Uint8Array): Promise<unknown> => {
  const text = textOf(bytes);
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // YAML's flow style begins like JSON: the YAML parser decides, and says where it fails.
    }
  }
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { version: '1.1', merge: true, uniqueKeys: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const at = error.linePos?.[0];
    const where = at === undefined ? '' : ` at line ${at.line}, column ${at.col}`;
    throw bad(`the request body is not valid YAML${where}: ${error.message.split(/ at line \d/)[0] ?? ''}`);
  }
  return document.toJS() as unknown;
};

/**
 * The body as a JSON value; undefined when it is empty. Throws BadRequest for what does not parse and
 * UnsupportedMediaType for what is neither JSON, YAML nor Kubernetes' protobuf.
 */
export const readBody = async (request: HttpRequest, onDuplicates?: OnDuplicates): Promise<unknown> => {
  const bytes = await request.body();
  if (bytes.byteLength === 0) return undefined;
  const type = contentTypeOf(request);
  switch (type) {
    case '':
    case 'application/json':
    case '*/*':
      return parseJson(bytes, onDuplicates);
    case 'application/yaml':
      return parseYaml(bytes);
    case 'application/vnd.kubernetes.protobuf': {
      const { decodeEnvelope } = await import('./protobuf/decode.js');
      return decodeEnvelope(bytes);
    }
    default:
      throw new ClusterError(
        'UnsupportedMediaType',
        `the body of the request was in an unknown format (${type}) - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf`,
      );
  }
};
