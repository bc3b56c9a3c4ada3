// How a volume may be mounted: the rules about access modes, and their short names.
import type { FieldError } from '../../base/errors.js';
import { forbidden, notSupported, required } from '../validation/field-errors.js';

const shortNames: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** `RWO,RWX`, in the order of Kubernetes' printers. */
export const shortAccessModes = (modes: readonly string[] | undefined): string =>
  Object.entries(shortNames)
    .filter(([mode]) => modes?.includes(mode) === true)
    .map(([, short]) => short)
    .join(',');

const supported = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export const accessModeErrors = (
  field: string,
  modes: readonly string[] | undefined = [],
  whenNone?: string,
): readonly FieldError[] => [
  ...(modes.length === 0 ? [required(field, whenNone)] : []),
  ...modes.filter((mode) => !supported.includes(mode)).map((mode) => notSupported(field, mode, supported)),
  ...(modes.length > 1 && modes.includes('ReadWriteOncePod')
    ? [forbidden(field, 'may not use ReadWriteOncePod with other access modes')]
    : []),
];
