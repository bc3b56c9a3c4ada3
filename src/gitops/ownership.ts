// The marks by which Capstan knows what it keeps.
import type { Index } from '../client/view.js';
import type { Kind } from '../resources/kind.js';
import { APPLICATION_LABEL, applicationOf, GIT_MANAGER } from '../resources/break-glass.js';
import type { Draft } from '../resources/resource.js';

export { APPLICATION_LABEL };

/** `"false"` keeps an object that has left the repository. */
export const PRUNE_ANNOTATION = 'capstan.dev/prune';

export { applicationOf, GIT_MANAGER as FIELD_MANAGER };

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
