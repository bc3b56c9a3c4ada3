// The marks by which Capstan knows what it keeps.
import type { Index } from '../client/view.js';
import type { Kind } from '../resources/kind.js';
import type { Draft, Resource } from '../resources/resource.js';

/** Label on every object that an application keeps; its value is the application's name. */
export const APPLICATION_LABEL = 'capstan.dev/application';

/** `"false"` keeps an object that has left the repository. */
export const PRUNE_ANNOTATION = 'capstan.dev/prune';

export const FIELD_MANAGER = 'capstan';

/** The application that keeps an object. A copy that something made of an object (labels and all) has an owner and is nobody's. */
export const applicationOf = (object: Resource): string | undefined =>
  object.metadata.ownerReferences?.some(({ controller }) => controller === true) === true
    ? undefined
    : object.metadata.labels?.[APPLICATION_LABEL];

export const withApplication = (object: Draft, application: string): Draft => ({
  ...object,
  metadata: {
    ...object.metadata,
    labels: { ...object.metadata.labels, [APPLICATION_LABEL]: application },
  },
});

/** Objects by the application that keeps them. */
export const ownershipIndex = (kind: Kind): Index => ({
  name: 'application',
  kind,
  keys: (object) => {
    const application = applicationOf(object);
    return application === undefined ? [] : [application];
  },
});
