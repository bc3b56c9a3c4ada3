// Makes a container's image present, by its policy and with the credentials of its pod.
import { ClusterError, messageOf } from '../../base/errors.js';
import type { PodAction } from '../pod-actions.js';
import type { PodScope } from '../pod-scope.js';
import { pullCredentials } from '../pull-credentials.js';
import type { PulledImage, PullPolicy, RegistryCredentials } from '../runtime.js';
import { isTransient, StartFailure } from './start-failure.js';

type Start = Extract<PodAction, { type: 'startContainer' }>;

const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(3)}s`);

const credentialsFor = (scope: PodScope, image: string): readonly RegistryCredentials[] => {
  const { credentials, missing, unknown } = pullCredentials(scope.pod(), image, scope.node.source);
  if (unknown) throw new StartFailure('CreateContainerConfigError', 'image pull secrets are not known yet');
  if (missing.length > 0)
    scope.tell(
      'Warning',
      'FailedToRetrieveImagePullSecret',
      `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
    );
  return credentials;
};

export const pullImage = async (
  scope: PodScope,
  { container }: Start,
  signal: AbortSignal,
): Promise<PulledImage> => {
  const { image = '' } = container;
  const { runtime, clock } = scope.node;
  const policy = (container.imagePullPolicy ?? 'IfNotPresent') as PullPolicy;
  if (policy === 'Always') scope.tell('Normal', 'Pulling', `Pulling image "${image}"`);
  const begin = clock.now();
  try {
    const pulled = await runtime.pull(
      {
        image,
        policy,
        annotations: scope.pod().metadata.annotations,
        credentials: policy === 'Never' ? [] : credentialsFor(scope, image),
      },
      signal,
    );
    const took = seconds(clock.now() - begin);
    scope.tell(
      'Normal',
      'Pulled',
      pulled.pulled
        ? `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${pulled.sizeBytes ?? 0} bytes.`
        : `Container image "${image}" already present on machine`,
    );
    return pulled;
  } catch (error) {
    if (isTransient(error, signal) || error instanceof StartFailure) throw error;
    const never = policy === 'Never' && error instanceof ClusterError && !error.retry;
    const reason = never ? 'ErrImageNeverPull' : 'ErrImagePull';
    scope.tell(
      'Warning',
      'Failed',
      never ? messageOf(error) : `Failed to pull image "${image}": ${messageOf(error)}`,
    );
    throw new StartFailure(reason, messageOf(error), error);
  }
};
