// The marks by which the API server and the Git loop know whose an object is, and that somebody broke the glass.
import { fromTimestamp } from '../base/clock.js';
import type { Instant } from '../base/clock.js';
import { isObject } from '../base/json.js';
import type { Resource } from './resource.js';

/** Label on every object that an application keeps; its value is the application's name. */
export const APPLICATION_LABEL = 'capstan.dev/application';

/** Who changes what Git says writes here why. */
export const REASON_ANNOTATION = 'capstan.dev/break-glass-reason';

/** Written by the API server: who changed the object past Git, and when. */
export const BREAK_GLASS_ANNOTATION = 'capstan.dev/break-glass';

/** The field manager of the Git loop: what it owns is what Git says. */
export const GIT_MANAGER = 'capstan';

/** The application that keeps an object. A copy that something made of an object (labels and all) has an owner and is nobody's. */
export const applicationOf = ({ metadata }: Resource): string | undefined =>
  metadata.ownerReferences?.some(({ controller }) => controller === true) === true
    ? undefined
    : metadata.labels?.[APPLICATION_LABEL];

export interface BreakGlass {
  readonly user: string;
  /** RFC 3339. */
  readonly at: string;
  readonly reason: string;
}

/** Undefined when nobody did, or the record is not what the server wrote. */
export const breakGlassOf = ({ metadata }: Resource): BreakGlass | undefined => {
  const text = metadata.annotations?.[BREAK_GLASS_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    const { user, at, reason } = value;
    if (typeof user !== 'string' || typeof at !== 'string' || typeof reason !== 'string') return undefined;
    return { user, at, reason };
  } catch {
    return undefined;
  }
};

/** Until when such an object is left as it is; undefined for any other. */
export const heldUntil = (object: Resource | undefined, holdMs: number): Instant | undefined => {
  const record = object === undefined ? undefined : breakGlassOf(object);
  const at = fromTimestamp(record?.at);
  return at === undefined ? undefined : at + holdMs;
};
