// What form of an answer the client accepts: objects, Tables or metadata only, always as JSON.
import { ClusterError } from '../base/errors.js';

/** How an object is shown; `version` is that of the meta.k8s.io kinds. */
export interface Form {
  readonly as: 'object' | 'table' | 'metadata';
  readonly version: 'v1' | 'v1beta1';
}

export interface MediaRange {
  /** `application/json`, lower case. */
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The ranges of an Accept header, most wanted first; those with `q=0` are left out. */
export const mediaRanges = (header: string): readonly MediaRange[] =>
  header
    .split(',')
    .map((text) => {
      const [type = '', ...rest] = text.split(';').map((part) => part.trim());
      const parameters: Record<string, string> = {};
      for (const parameter of rest) {
        const at = parameter.indexOf('=');
        if (at > 0) parameters[parameter.slice(0, at)] = parameter.slice(at + 1).replace(/^"(.*)"$/, '$1');
      }
      return { type: type.toLowerCase(), parameters, quality: Number(parameters['q'] ?? '1') };
    })
    .filter(({ type, quality }) => type !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality);

const plain: Form = { as: 'object', version: 'v1' };

const isJson = (type: string): boolean =>
  type === 'application/json' || type === '*/*' || type === 'application/*';

const formOf = ({ parameters }: MediaRange): Form | undefined => {
  const { as, g, v } = parameters;
  if (as === undefined) return plain;
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined;
  if (as === 'Table') return { as: 'table', version: v };
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
    return { as: 'metadata', version: v };
  return undefined;
};

/** Throws NotAcceptable when none of the ranges is JSON in a form that there is. */
export const negotiate = (accept: string | undefined): Form => {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*')
    return plain;
  for (const range of mediaRanges(accept)) {
    if (!isJson(range.type)) continue;
    const form = formOf(range);
    if (form !== undefined) return form;
  }
  throw new ClusterError(
    'NotAcceptable',
    `only the following media types are accepted: application/json (asked for: ${accept})`,
  );
};

/** True when the client takes gzip. */
export const acceptsGzip = (acceptEncoding: string | undefined): boolean =>
  acceptEncoding !== undefined &&
  /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)/.test(acceptEncoding);
