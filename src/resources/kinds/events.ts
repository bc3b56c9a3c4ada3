// Events: what happened to an object, for people; they expire.
import { text, wide, wideInteger } from '../columns.js';
import { ageOf } from '../duration.js';
import { eventErrors } from '../events/validate-event.js';
import type { Event } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';

/** Events of the newer form have a time of their own instead of first and last ones. */
const firstSeen = ({ firstTimestamp, eventTime }: Event): string | undefined => firstTimestamp ?? eventTime;

const lastSeen = (event: Event): string | undefined =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen(event);

const objectText = ({ involvedObject: { kind = '', name = '' } }: Event): string =>
  name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;

const sourceText = ({ source = {}, reportingComponent = '', reportingInstance = '' }: Event): string => {
  const { component = '', host = '' } = source;
  const given = component === '' && host === '' ? [reportingComponent, reportingInstance] : [component, host];
  return given.filter((part, index) => index === 0 || part !== '').join(', ');
};

/** kubectl shows events by time, so their names come last. */
const columns: readonly Column<Event>[] = [
  text(
    'Last Seen',
    'The time at which the most recent occurrence of this event was recorded.',
    (event, now) => ageOf(lastSeen(event), now),
  ),
  text(
    'Type',
    'Type of this event (Normal, Warning), new types could be added in the future',
    ({ type }) => type ?? '',
  ),
  text('Reason', 'Why the object is in the state that it is in, in one word.', ({ reason }) => reason ?? ''),
  text('Object', 'The object that this event is about.', objectText),
  wide(
    'Subobject',
    'The part of the object that this event is about.',
    ({ involvedObject }) => involvedObject.fieldPath ?? '',
  ),
  wide('Source', 'The component reporting this event.', sourceText),
  text('Message', 'A human-readable description of the status of this operation.', ({ message }) =>
    (message ?? '').trim(),
  ),
  wide('First Seen', 'The time at which the event was first recorded.', (event, now) =>
    ageOf(firstSeen(event), now),
  ),
  wideInteger(
    'Count',
    'The number of times this event has occurred.',
    ({ series, count }) => series?.count ?? (count || 1),
  ),
  { ...wide('Name', 'Name of the event.', ({ metadata }) => metadata.name), format: 'name' },
];

export const events = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Event',
  subresources: [],
  generationFields: [],
  columns,
  validate: eventErrors,
  selectableFields: ({ involvedObject, reason, reportingComponent, source, type }) => ({
    'involvedObject.kind': involvedObject.kind ?? '',
    'involvedObject.namespace': involvedObject.namespace ?? '',
    'involvedObject.name': involvedObject.name ?? '',
    'involvedObject.uid': involvedObject.uid ?? '',
    'involvedObject.apiVersion': involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': involvedObject.fieldPath ?? '',
    reason: reason ?? '',
    reportingComponent: reportingComponent ?? '',
    source: source?.component ?? '',
    type: type ?? '',
  }),
});
