// A wanted object as it is sent to the API server.
import { isObject } from '../base/json.js';
import type { Draft, Resource } from '../resources/resource.js';
import { managedByAnnotation, versionLabel } from '../resources/rollouts/service-version.js';
import type { ApplicationSpec, IgnoredDifference } from './cluster-config.js';
import { withApplication } from './ownership.js';
import type { DesiredObject } from './render.js';

const steps = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

const valueAt = (value: unknown, path: readonly string[]): unknown => {
  let at = value;
  for (const step of path) {
    if (Array.isArray(at)) at = at[Number(step)] as unknown;
    else if (isObject(at)) at = at[step];
    else return undefined;
  }
  return at;
};

/** A copy in which the path has the value; undefined takes it away. Ways that do not exist stay away. */
const withValue = (object: unknown, [step, ...rest]: readonly string[], value: unknown): unknown => {
  if (step === undefined) return value;
  if (Array.isArray(object))
    return object.map((item: unknown, index) =>
      index === Number(step) ? withValue(item, rest, value) : item,
    );
  if (!isObject(object)) return object;
  if (rest.length > 0 && object[step] === undefined) return object;
  const next = withValue(object[step], rest, value);
  const others = Object.entries(object).filter(([key]) => key !== step);
  return Object.fromEntries(next === undefined ? others : [...others, [step, next]]);
};

const concerns = (ignored: IgnoredDifference, desired: DesiredObject): boolean =>
  ignored.kind === desired.manifest.kind.kind &&
  (ignored.name === undefined || ignored.name === desired.manifest.name) &&
  (ignored.namespace === undefined || ignored.namespace === desired.namespace);

/** What a rollout adds to a service that Git holds: the version in its selector, and the split of its traffic. */
const ofRollouts = (desired: DesiredObject, live: Resource): readonly (readonly string[])[] =>
  desired.manifest.kind.kind === 'Service' && live.metadata.annotations?.[managedByAnnotation] !== undefined
    ? [['spec', 'selector', versionLabel]]
    : [];

/**
 * Fields whose differences are ignored are sent as they are live, not left out: leaving out a field that Capstan once
 * set would take it away.
 */
export const appliedObject = (
  desired: DesiredObject,
  spec: Pick<ApplicationSpec, 'name' | 'ignoreDifferences'>,
  live: Resource | undefined,
): Draft => {
  let object: unknown = withApplication(desired.object, spec.name);
  if (live !== undefined)
    for (const ignored of spec.ignoreDifferences)
      if (concerns(ignored, desired))
        for (const pointer of ignored.jsonPointers) {
          const path = steps(pointer);
          object = withValue(object, path, valueAt(live, path));
        }
  if (live !== undefined)
    for (const path of ofRollouts(desired, live)) object = withValue(object, path, valueAt(live, path));
  return object as Draft;
};
