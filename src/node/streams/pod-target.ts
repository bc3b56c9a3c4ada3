// Which container of the engine a client means, and at which address its pod listens.
import { ClusterError } from '../../base/errors.js';
import { addressOf, attemptOf, containerNameOf, kindOf, label, podUidOf } from '../labels.js';
import type { Container, Runtime } from '../runtime.js';

export interface PodName {
  readonly namespace: string;
  readonly pod: string;
}

/** Of the pod's containers, the youngest that `fits`; of two pods with the same name, of the one that was made last. */
const youngest = (
  containers: readonly Container[],
  { namespace, pod }: PodName,
  fits: (container: Container) => boolean,
): Container | undefined =>
  containers
    .filter(
      (container) =>
        container.state === 'running' &&
        container.labels[label.podNamespace] === namespace &&
        container.labels[label.podName] === pod &&
        fits(container),
    )
    .sort((a, b) => b.createdAt - a.createdAt || attemptOf(b) - attemptOf(a))[0];

/** Throws NotFound in the words of Kubernetes. */
export const runningContainer = async (
  runtime: Runtime,
  { container, ...name }: PodName & { readonly container: string },
  signal: AbortSignal,
): Promise<Container> => {
  const found = youngest(
    await runtime.list(signal),
    name,
    (each) => kindOf(each) === 'container' && containerNameOf(each) === container,
  );
  if (found === undefined) throw new ClusterError('NotFound', `container not found ("${container}")`);
  return found;
};

/** A pod in the network of the machine listens on the machine's own addresses. */
const hostAddress = '127.0.0.1';

/** Throws NotFound when the pod does not run here. */
export const podAddress = async (
  runtime: Runtime,
  name: PodName,
  signal: AbortSignal,
): Promise<{ readonly host: string; readonly uid: string }> => {
  const sandbox = youngest(await runtime.list(signal), name, (each) => kindOf(each) === 'sandbox');
  if (sandbox === undefined)
    throw new ClusterError('NotFound', `pod ${name.namespace}/${name.pod} does not run on this node`);
  const address = addressOf(sandbox);
  return { host: address === undefined || address === '' ? hostAddress : address, uid: podUidOf(sandbox) };
};
