// Events as events.k8s.io/v1 shows them: the same objects as those of the core group, under other names.
import type { FieldError } from '../../base/errors.js';
import { eventErrors, eventUpdateErrors, newEventErrors } from '../events/validate-event.js';
import { newerEvent, olderEvent } from '../events/version-conversion.js';
import type { Event, EventsEvent } from '../generated/types.js';
import { defineKind } from '../kind.js';
import type { Resource } from '../resource.js';
import { events } from './events.js';

const validate = (event: EventsEvent, old: EventsEvent | undefined): readonly FieldError[] => {
  const older = olderEvent(event);
  return [
    ...eventErrors(older),
    ...(old === undefined ? newEventErrors(older) : eventUpdateErrors(older, olderEvent(old))),
  ];
};

/** Selected is what is kept, so an event of either version is asked. */
const selectableFields = (event: EventsEvent | Event): Readonly<Record<string, string>> => {
  const { involvedObject, ...rest } = 'involvedObject' in event ? event : olderEvent(event);
  return {
    'regarding.kind': involvedObject.kind ?? '',
    'regarding.namespace': involvedObject.namespace ?? '',
    'regarding.name': involvedObject.name ?? '',
    'regarding.uid': involvedObject.uid ?? '',
    'regarding.apiVersion': involvedObject.apiVersion ?? '',
    'regarding.resourceVersion': involvedObject.resourceVersion ?? '',
    'regarding.fieldPath': involvedObject.fieldPath ?? '',
    reason: rest.reason ?? '',
    reportingController: rest.reportingComponent ?? '',
    type: rest.type ?? '',
  };
};

export const eventsV1 = defineKind<EventsEvent>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  // `ev` is the core group's: kubectl warns of a short name that two groups have.
  namespaced: true,
  definition: 'io.k8s.api.events.v1.Event',
  versions: {
    storage: 'v1',
    keptAs: events,
    decode: (stored: readonly Resource[]) => stored.map((object) => newerEvent(object as Event)),
    encode: (object: Resource) => olderEvent(object as EventsEvent),
  },
  columns: events.columns.map((column) => ({
    ...column,
    cell: (object: EventsEvent, now: number) => column.cell(olderEvent(object), now),
  })),
  validate,
  selectableFields,
});
