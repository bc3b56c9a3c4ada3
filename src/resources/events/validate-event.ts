// Rules about events of both versions (Kubernetes' pkg/apis/core/validation/events.go).
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import type { Event } from '../generated/types.js';
import { allInvalid, immutable, invalid, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { qualifiedNameErrors } from '../validation/names.js';

/** Events about what belongs to the whole cluster stand in one of these. */
const clusterNamespaces: ReadonlySet<string> = new Set(['default', 'kube-system']);

const longest = { word: 128, note: 1024 };

const namespaceErrors = ({ metadata, involvedObject }: Event): readonly FieldError[] => {
  const about = involvedObject.namespace ?? '';
  const { namespace = '' } = metadata;
  const fits = about === '' ? namespace === '' || clusterNamespaces.has(namespace) : about === namespace;
  return fits ? [] : [invalid('involvedObject.namespace', about, 'does not match event.namespace')];
};

const wordErrors = (field: string, word: string | undefined): readonly FieldError[] => {
  if (word === undefined || word === '') return [required(field)];
  return word.length > longest.word
    ? [invalid(field, '', `can have at most ${String(longest.word)} characters`)]
    : [];
};

/** Those with a time of their own say who tells and what was done. */
const timedErrors = (event: Event): readonly FieldError[] => {
  const { reportingComponent: component, reportingInstance, action, reason, message = '' } = event;
  return [
    ...(component === undefined || component === ''
      ? [required('reportingController')]
      : allInvalid('reportingController', component, qualifiedNameErrors(component))),
    ...wordErrors('reportingInstance', reportingInstance),
    ...wordErrors('action', action),
    ...wordErrors('reason', reason),
    ...(message.length > longest.note
      ? [invalid('message', '', `can have at most ${String(longest.note)} characters`)]
      : []),
  ];
};

export const eventErrors = (event: Event): readonly FieldError[] => [
  ...nameErrors(event.metadata),
  ...namespaceErrors(event),
  ...(event.eventTime === undefined ? [] : timedErrors(event)),
];

const unset = (field: string, value: unknown): readonly FieldError[] =>
  value === undefined || value === '' || value === 0 ? [] : [invalid(field, '', 'needs to be unset')];

const seriesErrors = ({ series }: Event): readonly FieldError[] => {
  if (series === undefined) return [];
  const { count = 0, lastObservedTime = '' } = series;
  return [
    ...(count < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...(lastObservedTime === '' ? [required('series.lastObservedTime')] : []),
  ];
};

/** What events.k8s.io asks of a new event beyond that. */
export const newEventErrors = (event: Event): readonly FieldError[] => [
  ...(event.eventTime === undefined ? [required('eventTime')] : []),
  ...(event.type === 'Normal' || event.type === 'Warning'
    ? []
    : [invalid('type', '', `has invalid value: ${event.type ?? ''}`)]),
  ...unset('firstTimestamp', event.firstTimestamp),
  ...unset('lastTimestamp', event.lastTimestamp),
  ...unset('count', event.count),
  ...unset('source', event.source?.component ?? event.source?.host),
  ...seriesErrors(event),
];

const fixed = [
  ...(['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count'] as const),
  ...(['type', 'eventTime', 'action', 'related', 'reportingComponent', 'reportingInstance'] as const),
];

/** Through events.k8s.io only the series of an event goes on. */
export const eventUpdateErrors = (event: Event, old: Event): readonly FieldError[] => [
  ...fixed.filter((field) => !equal(event[field], old[field])).map((field) => immutable(field, event[field])),
  ...seriesErrors(event),
];
