// Formats of strings and numbers that Kubernetes checks in custom resources (kube-openapi `pkg/validation/strfmt`);
// any other format is a note for people.
import { ipErrors, ipFamilyOf, cidrErrors } from '../validation/names.js';
import { patterns } from '../schema-patterns.js';

const matching =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

const dateTime = new RegExp(patterns.dateTime);
const base64 = new RegExp(patterns.byte);

const isDate = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

const isUri = (text: string): boolean => URL.canParse(text) || /^\/[^\s]*$/.test(text);

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': matching(dateTime),
  datetime: matching(dateTime),
  date: isDate,
  duration: matching(/^[+-]?(\d+(\.\d*)?\s*[a-zµμ]+\s*)+$|^[+-]?0$/i),
  byte: (text) => base64.test(text),
  uri: isUri,
  email: matching(/^[^\s@]+@[^\s@]+$/),
  hostname: matching(
    /^(?=.{1,253}$)[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*\.?$/,
  ),
  ipv4: (text) => ipFamilyOf(text) === 4,
  ipv6: (text) => ipErrors(text).length === 0 && ipFamilyOf(text) === 6,
  cidr: (text) => cidrErrors(text).length === 0,
  mac: matching(/^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$/),
  uuid: matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  hexcolor: matching(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
};

/** True for what fits, and for formats that nobody checks. */
export const fitsFormat = (format: string, text: string): boolean => formats[format]?.(text) ?? true;

const ranges: Readonly<Record<string, number>> = { int32: 2 ** 31, int64: 2 ** 63 };

export const fitsNumber = (format: string, value: number): boolean => {
  const range = ranges[format];
  return range === undefined || (value >= -range && value < range);
};
