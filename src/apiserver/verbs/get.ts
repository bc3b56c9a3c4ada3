// One object, or its Scale.
import type { Kind } from '../../resources/kind.js';
import type { ObjectName } from '../../resources/resource.js';
import type { Stored } from '../registry.js';
import { detached } from '../stored-entries.js';
import { liveEntry, liveInVersion } from './context.js';
import type { VerbContext } from './context.js';
import { scaleOf } from './scale.js';

export const get = async (
  context: VerbContext,
  kind: Kind,
  { name, subresource }: { readonly name: ObjectName; readonly subresource?: 'status' | 'scale' | undefined },
): Promise<Stored> => {
  const { stored, object } = await liveInVersion(context, kind, liveEntry(context, kind, name));
  return subresource === 'scale' ? detached(scaleOf(kind, object)) : stored;
};
