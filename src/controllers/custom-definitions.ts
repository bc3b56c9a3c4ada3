// CustomResourceDefinitions: names that have become free are given to who waits for them, and a definition that is being
// deleted takes its objects with it before it goes.
import type { Instant } from '../base/clock.js';
import { equal } from '../base/json.js';
import type { View } from '../client/view.js';
import type { Controller, Decision, Key } from '../reconcile/controller.js';
import { customKinds } from '../resources/custom/custom-kind.js';
import {
  cleanupFinalizer,
  conditionOf,
  definitionStatus,
  terminating,
} from '../resources/custom/definition-status.js';
import type { CustomResourceDefinition } from '../resources/generated/types.js';
import type { Kind } from '../resources/kind.js';
import { customresourcedefinitions } from '../resources/kinds/customresourcedefinitions.js';
import { isDeleting, nameOf } from '../resources/resource.js';
import type { GuardedAction } from './guarded-executor.js';

interface Observed {
  readonly definition: CustomResourceDefinition;
  readonly definitions: readonly CustomResourceDefinition[];
  /** Objects of its kind that the view shows; some may be held by finalizers. */
  readonly objects: number;
}

/** What still holds objects of the kind tells nobody when it lets go. */
const retryMs = 1000;

const wantsNames = (definition: CustomResourceDefinition): boolean =>
  conditionOf(definition, 'NamesAccepted')?.status !== 'True';

const removal = ({ definition, objects }: Observed, now: Instant): Decision<GuardedAction> => {
  const { finalizers = [] } = definition.metadata;
  if (!finalizers.includes(cleanupFinalizer))
    return { actions: [], because: 'it is being deleted; its own finalizers hold it' };
  if (conditionOf(definition, 'Terminating')?.status !== 'True')
    return {
      actions: [
        { type: 'updateStatus', kind: customresourcedefinitions, object: terminating(definition, now) },
      ],
      because: 'it is being deleted: its objects go first',
    };
  const kind = customKinds(definition)?.stored;
  return {
    actions: [{ type: 'removeDefinition', definition, finalizer: cleanupFinalizer, kind }],
    because:
      objects === 0 ? 'none of its objects is left: it goes' : `${String(objects)} of its objects go first`,
    wakeAt: now + retryMs,
  };
};

const naming = (
  { definition, definitions }: Observed,
  builtIn: readonly Kind[],
  now: Instant,
): Decision<GuardedAction> => {
  const status = definitionStatus(definition, { definitions, builtIn }, now);
  const object: CustomResourceDefinition = { ...definition, status };
  if (equal(status, definition.status))
    return {
      actions: [],
      because: conditionOf(definition, 'NamesAccepted')?.message ?? 'its names are taken',
    };
  return {
    actions: [{ type: 'updateStatus', kind: customresourcedefinitions, object }],
    because: 'its names are judged anew',
  };
};

/** `builtIn`: kinds whose names are taken for good. */
export const createCustomDefinitionController = (
  builtIn: readonly Kind[],
): Controller<Observed, GuardedAction> => ({
  name: 'custom-definitions',
  watches: [
    {
      kind: customresourcedefinitions,
      keys: ({ object, type }, view: View): readonly Key[] => [
        nameOf(object),
        // A name may be free now.
        ...(type === 'added' ? [] : view.list(customresourcedefinitions).filter(wantsNames).map(nameOf)),
      ],
    },
  ],
  watchesAll: ({ kind, type }): readonly Key[] =>
    kind.schema !== undefined && type === 'deleted' ? [{ name: `${kind.plural}.${kind.group}` }] : [],
  observe: (view, { name }) => {
    const definition = view.get(customresourcedefinitions, { name });
    if (definition === undefined) return undefined;
    if (!isDeleting(definition) && !wantsNames(definition)) return undefined;
    const kind = customKinds(definition)?.stored;
    return {
      definition,
      definitions: view.list(customresourcedefinitions),
      objects: kind === undefined ? 0 : view.list(kind).length,
    };
  },
  reconcile: (observed, now) =>
    isDeleting(observed.definition) ? removal(observed, now) : naming(observed, builtIn, now),
});
