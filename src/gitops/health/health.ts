// How one live object does.
import type { View } from '../../client/view.js';
import type { Kind } from '../../resources/kind.js';
import type { Resource } from '../../resources/resource.js';

export type HealthStatus = 'Healthy' | 'Progressing' | 'Degraded' | 'Missing';

export interface Health {
  readonly status: HealthStatus;
  /** Empty when there is nothing to say. */
  readonly message: string;
  /** It has failed for good: waiting does not help. */
  readonly failed?: boolean;
}

/** Judges the objects of one kind; looks at others, such as an object's pods, only to say why. */
export interface HealthRule<T extends Resource = Resource> {
  readonly kind: Kind<T>;
  judge(object: T, view: View): Health;
}

export const healthy: Health = { status: 'Healthy', message: '' };

export const progressing = (message: string): Health => ({ status: 'Progressing', message });

export const degraded = (message: string): Health => ({ status: 'Degraded', message });
