// The bytes of one file -> the objects in it and everything that is wrong with them. Depends on the content alone, so
// the result is kept by blob id.
import { Buffer } from 'node:buffer';
import { messageOf, type FieldError } from '../base/errors.js';
import { isObject } from '../base/json.js';
import { apiVersionOf, type Kind } from '../resources/kind.js';
import type { Draft, Resource } from '../resources/resource.js';
import { checkSchema } from '../resources/schema.js';
import { closest } from './closest.js';
import { parseYaml, type Position } from './yaml-source.js';

/** What is valid in this cluster. */
export interface ManifestRules {
  readonly kinds: readonly Kind[];
}

export interface Manifest {
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string | undefined;
  /** As it is to be applied, but for namespace and ownership. */
  readonly object: Draft;
  /** Of the object's name. */
  readonly position: Position;
  /** Which document of the file it is, and the path in it of an item of a List. */
  readonly place: { readonly index: number; readonly item: string };
}

export type ManifestProblem = Position & { readonly message: string };

export interface ManifestFile {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly ManifestProblem[];
}

interface Found {
  readonly value: unknown;
  /** Which document of the file. */
  readonly index: number;
  /** Path of the item in a List; empty outside of one. */
  readonly item: string;
  locate(field: string): Position;
}

/** Only the API server writes these; manifests that were exported from a cluster carry them. */
const serverFields = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
]);

const decoder = new TextDecoder('utf-8', { fatal: true });

const readJson = (text: string): unknown => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // YAML's flow style starts alike, and its parser knows the place of an error.
    return undefined;
  }
};

const found = (text: string): { documents: readonly Found[]; problems: readonly ManifestProblem[] } => {
  const json = readJson(text);
  if (json === undefined) {
    const { documents, problems } = parseYaml('', text);
    return { documents: documents.map((document) => ({ ...document, item: '' })), problems };
  }
  // Positions are asked for when something is wrong, which is seldom: the text is parsed again then.
  const locate = (field: string): Position =>
    parseYaml('', text).documents[0]?.locate(field) ?? { line: 1, column: 1 };
  return { documents: [{ value: json, index: 0, item: '', locate }], problems: [] };
};

/** `kind: List` and its typed sisters stand for their items. */
const expand = (document: Found): readonly Found[] => {
  const { value, index, item } = document;
  if (!isObject(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List'))
    return [document];
  const items = value['items'];
  if (!Array.isArray(items)) return [document];
  return items.flatMap((entry: unknown, place) => {
    const at = `items[${String(place)}]`;
    return expand({
      value: entry,
      index,
      item: item === '' ? at : `${item}.${at}`,
      locate: (field) => document.locate(field === '' ? at : `${at}.${field}`),
    });
  });
};

/** A Secret's `stringData` is for writing only: what is compared and applied is `data`. */
const encoded = (kind: Kind, object: Draft): Draft => {
  const { stringData, data, ...rest }: Record<string, unknown> = { ...object };
  if (kind.kind !== 'Secret' || kind.group !== '' || !isObject(stringData)) return object;
  const made = Object.entries(stringData).map(([key, value]): [string, unknown] => [
    key,
    typeof value === 'string' ? Buffer.from(value).toString('base64') : value,
  ]);
  return {
    ...rest,
    data: { ...(isObject(data) ? data : {}), ...Object.fromEntries(made) },
  } as unknown as Draft;
};

const cleaned = (kind: Kind, object: Record<string, unknown>): Draft => {
  const { metadata, ...rest } = object;
  const kept = Object.entries(isObject(metadata) ? metadata : {}).filter(([key]) => !serverFields.has(key));
  const draft: Record<string, unknown> = { ...rest, metadata: Object.fromEntries(kept) };
  delete draft['status'];
  return draft as unknown as Draft;
};

const unknownKind = (apiVersion: string, name: string, { kinds }: ManifestRules): string => {
  const sameKind = kinds.find(({ kind }) => kind === name);
  if (sameKind !== undefined)
    return `there is no kind ${name} in ${apiVersion}; it is served as ${apiVersionOf(sameKind)}`;
  const close = closest(
    name,
    kinds.map(({ kind }) => kind),
  );
  return `there is no kind ${name} in ${apiVersion}${close === undefined ? '' : `; did you mean ${close}?`}`;
};

type Reading = { readonly manifest: Manifest } | { readonly problems: readonly ManifestProblem[] };

const refuse = (document: Found, field: string, message: string): Reading => ({
  problems: [{ ...document.locate(field), message }],
});

/** Undefined when there is a name. `y` without quotes is true to every reader of Kubernetes manifests. */
const nameProblem = (kind: string, metadata: unknown): string | undefined => {
  const { name, generateName } = isObject(metadata) ? metadata : {};
  if (typeof name === 'string' && name !== '') return undefined;
  if (typeof name === 'boolean' || typeof name === 'number')
    return `metadata.name of this ${kind} is the ${typeof name} ${String(name)} and not text: put it in quotes`;
  return generateName === undefined
    ? `${kind} needs metadata.name`
    : `${kind} needs metadata.name: with generateName every sync would make another object`;
};

const identify = (
  document: Found,
  rules: ManifestRules,
): Reading | { kind: Kind; value: Record<string, unknown> } => {
  const { value } = document;
  if (!isObject(value))
    return refuse(
      document,
      '',
      'this document is not an object: a manifest has apiVersion, kind and metadata',
    );
  const { apiVersion, kind: kindName, metadata } = value;
  if (typeof kindName !== 'string' || kindName === '')
    return refuse(document, 'kind', 'kind is missing: every document names the kind of its object');
  if (typeof apiVersion !== 'string' || apiVersion === '')
    return refuse(
      document,
      'apiVersion',
      `apiVersion is missing: ${kindName} needs one, such as v1 or apps/v1`,
    );
  const kind = rules.kinds.find(
    (candidate) => candidate.kind === kindName && apiVersionOf(candidate) === apiVersion,
  );
  if (kind === undefined) return refuse(document, 'kind', unknownKind(apiVersion, kindName, rules));
  if (kind.group === 'capstan.dev' && (kindName === 'Application' || kindName === 'Repository'))
    return refuse(
      document,
      'kind',
      `${kindName} objects are written by Capstan itself: describe applications in capstan.yaml`,
    );
  const wrongName = nameProblem(kindName, metadata);
  if (wrongName !== undefined) return refuse(document, 'metadata.name', wrongName);
  if (
    !kind.namespaced &&
    isObject(metadata) &&
    typeof metadata['namespace'] === 'string' &&
    metadata['namespace'] !== ''
  )
    return refuse(
      document,
      'metadata.namespace',
      `${kindName} ${String(metadata['name'])} belongs to the whole cluster: remove metadata.namespace`,
    );
  return { kind, value };
};

const describe = ({ field, message }: FieldError): string =>
  field === '' || message.startsWith(field) ? message : `${field}: ${message}`;

const read = (document: Found, rules: ManifestRules): Reading => {
  const identified = identify(document, rules);
  if (!('kind' in identified)) return identified;
  const { kind, value } = identified;
  const draft = cleaned(kind, value);
  const located = (errors: readonly FieldError[]): readonly ManifestProblem[] =>
    errors.map((error) => ({
      ...document.locate(error.field),
      message: `${kind.kind} ${draft.metadata.name ?? ''}: ${describe(error)}`,
    }));
  const { errors: schemaErrors, unknown } = checkSchema(kind, draft);
  const misspelt = unknown.map((field): FieldError => ({
    type: 'FieldValueInvalid',
    field,
    message: `${field}: there is no such field`,
  }));
  if (schemaErrors.length + misspelt.length > 0) return { problems: located([...schemaErrors, ...misspelt]) };
  const errors = kind.validate(kind.defaulted(draft as unknown as Resource), undefined);
  if (errors.length > 0) return { problems: located(errors) };
  return {
    manifest: {
      kind,
      name: draft.metadata.name ?? '',
      namespace: draft.metadata.namespace === '' ? undefined : draft.metadata.namespace,
      object: encoded(kind, draft),
      position: document.locate('metadata.name'),
      place: { index: document.index, item: document.item },
    },
  };
};

export const readManifests = (content: Uint8Array, rules: ManifestRules): ManifestFile => {
  let text: string;
  try {
    text = decoder.decode(content);
  } catch (error) {
    return {
      manifests: [],
      problems: [{ line: 1, column: 1, message: `this is not UTF-8 text: ${messageOf(error)}` }],
    };
  }
  const { documents, problems } = found(text);
  const readings = documents.flatMap(expand).map((document) => read(document, rules));
  return {
    manifests: readings.flatMap((reading) => ('manifest' in reading ? [reading.manifest] : [])),
    problems: [
      ...problems.map(({ line, column, message }) => ({ line, column, message })),
      ...readings.flatMap((reading) => ('problems' in reading ? reading.problems : [])),
    ],
  };
};

/** Where a field of a manifest stands, in the content that it was read from. */
export const locateField = (content: Uint8Array, manifest: Manifest, field: string): Position => {
  const { index, item } = manifest.place;
  const document = parseYaml('', decoder.decode(content)).documents.find(
    (candidate) => candidate.index === index,
  );
  return document?.locate(item === '' ? field : `${item}.${field}`) ?? manifest.position;
};
