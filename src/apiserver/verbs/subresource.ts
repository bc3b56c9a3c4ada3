// Which part of an object a write through a subresource may change; the rest stays as it is.
import { isObject } from '../../base/json.js';
import type { Kind } from '../../resources/kind.js';
import type { WritableSubresource } from '../registry.js';
import type { OpenResource } from './context.js';
import { badRequest } from './rejections.js';
import { scaled } from './scale.js';

const partOf = (object: OpenResource, member: string): Readonly<Record<string, unknown>> => {
  const part = object[member];
  return isObject(part) ? part : {};
};

interface Merge {
  readonly kind: Kind;
  readonly current: OpenResource;
  readonly sent: OpenResource;
}

/** An absent member is none: it is not written. */
const withEphemeral = (
  spec: Readonly<Record<string, unknown>>,
  current: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> => ({
  ...spec,
  ephemeralContainers: current['ephemeralContainers'],
});

/**
 * Through the object itself, everything but what has a way of its own: the status, containers for debugging, and what
 * holds a namespace.
 */
const whole = ({ kind, current, sent }: Merge): OpenResource => ({
  ...sent,
  ...(kind.subresources.includes('ephemeralcontainers')
    ? { spec: withEphemeral(partOf(sent, 'spec'), partOf(current, 'spec')) }
    : {}),
  ...(kind.subresources.includes('status') ? { status: current['status'] } : {}),
  ...(kind.subresources.includes('finalize')
    ? { spec: { ...partOf(sent, 'spec'), finalizers: partOf(current, 'spec')['finalizers'] } }
    : {}),
});

const mergers: Readonly<Record<WritableSubresource, (merge: Merge) => OpenResource>> = {
  status: ({ current, sent }) => ({ ...current, status: sent['status'] }),
  scale: ({ kind, current, sent }) => scaled(kind, current, sent),
  finalize: ({ current, sent }) => ({
    ...current,
    spec: { ...partOf(current, 'spec'), finalizers: partOf(sent, 'spec')['finalizers'] },
  }),
  ephemeralcontainers: ({ current, sent }) => ({
    ...current,
    spec: {
      ...partOf(current, 'spec'),
      ephemeralContainers: partOf(sent, 'spec')['ephemeralContainers'],
    },
  }),
  approval: ({ current, sent }) => ({
    ...current,
    status: { ...partOf(current, 'status'), conditions: partOf(sent, 'status')['conditions'] },
  }),
};

/** Throws BadRequest for a subresource that the kind does not have. */
export const merged = (
  kind: Kind,
  {
    current,
    sent,
    subresource,
  }: Omit<Merge, 'kind'> & { readonly subresource: WritableSubresource | undefined },
): OpenResource => {
  if (subresource === undefined) return whole({ kind, current, sent });
  if (!kind.subresources.includes(subresource))
    throw badRequest(`${kind.plural} have no subresource ${subresource}`);
  return mergers[subresource]({ kind, current, sent });
};
