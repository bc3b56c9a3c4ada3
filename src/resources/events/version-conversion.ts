// Events between core/v1 and events.k8s.io/v1: the same objects under two sets of names.
import type { Event, EventsEvent } from '../generated/types.js';

const withoutUndefined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

/** core/v1 -> events.k8s.io/v1. */
export const newerEvent = (event: Event): EventsEvent => {
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, ...rest } = event;
  const { reportingComponent, eventTime, series, ...same } = rest;
  return withoutUndefined({
    ...same,
    apiVersion: 'events.k8s.io/v1',
    eventTime: eventTime as string,
    series: series && { count: series.count ?? 0, lastObservedTime: series.lastObservedTime ?? '' },
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
  });
};

/** events.k8s.io/v1 -> core/v1. */
export const olderEvent = (event: EventsEvent): Event => {
  const { regarding, note, reportingController, deprecatedSource, ...rest } = event;
  const { deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount, ...same } = rest;
  return withoutUndefined({
    ...same,
    apiVersion: 'v1',
    involvedObject: regarding ?? {},
    message: note,
    reportingComponent: reportingController,
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
  });
};
