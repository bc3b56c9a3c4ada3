// Events are news, not records: they go an hour after they last happened.
import { fromTimestamp } from '../base/clock.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { Controller } from '../reconcile/controller.js';
import type { Event } from '../resources/generated/types.js';
import { events } from '../resources/kinds/events.js';
import { isDeleting, nameOf } from '../resources/resource.js';

const hour = 3_600_000;

const lastSeen = ({ lastTimestamp, eventTime, series, metadata }: Event): number =>
  Math.max(
    fromTimestamp(lastTimestamp) ?? 0,
    fromTimestamp(eventTime) ?? 0,
    fromTimestamp(series?.lastObservedTime) ?? 0,
    fromTimestamp(metadata.creationTimestamp) ?? 0,
  );

export const createEventTtlController = (ttlMs = hour): Controller<Event, ClusterAction> => ({
  name: 'event-ttl',
  watches: [{ kind: events, keys: ({ type, object }) => (type === 'deleted' ? [] : [nameOf(object)]) }],
  observe: (view, key) => {
    const event = view.get(events, key);
    return event === undefined || isDeleting(event) ? undefined : event;
  },
  reconcile: (event, now) => {
    const end = lastSeen(event) + ttlMs;
    if (end > now) return { actions: [], because: 'it is recent', wakeAt: end };
    const { uid, resourceVersion } = event.metadata;
    return {
      actions: [
        {
          type: 'delete',
          kind: events,
          name: nameOf(event),
          options: { preconditions: { uid, resourceVersion } },
        },
      ],
      because: 'it has not happened again for an hour',
    };
  },
});
