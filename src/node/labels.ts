// Labels by which the agent finds its containers again: everything it must know after a restart is on them.
import type { Container } from './runtime.js';

export const label = {
  instance: 'dev.capstan.instance',
  node: 'dev.capstan.node',
  kind: 'dev.capstan.kind',
  podNamespace: 'dev.capstan.pod-namespace',
  podName: 'dev.capstan.pod-name',
  podUid: 'dev.capstan.pod-uid',
  container: 'dev.capstan.container',
  /** Starts of the container before this one: `restartCount`. */
  attempt: 'dev.capstan.attempt',
  /** Ends in a row before this start; the delay before the next start follows from it. */
  crashes: 'dev.capstan.crashes',
  specHash: 'dev.capstan.spec-hash',
  /** Id of the sandbox whose network the container joined. */
  sandbox: 'dev.capstan.sandbox',
  /** Of a pod whose object is gone, this is how long it may take to stop. */
  graceSeconds: 'dev.capstan.grace-seconds',
  /** As the pod names it: an engine may know it by a longer name. */
  image: 'dev.capstan.image',
  /** Address of a sandbox. */
  address: 'dev.capstan.address',
  /** Subnet of a sandbox that was connected to it without the engine. */
  subnet: 'dev.capstan.subnet',
  gateway: 'dev.capstan.gateway',
} as const;

export type ContainerKind = 'sandbox' | 'container';

const whole = (text: string | undefined): number => {
  const parsed = Number(text ?? '0');
  return Number.isInteger(parsed) && parsed >= 0 ? parsed : 0;
};

export const kindOf = ({ labels }: Pick<Container, 'labels'>): ContainerKind =>
  labels[label.kind] === 'sandbox' ? 'sandbox' : 'container';

export const podUidOf = ({ labels }: Pick<Container, 'labels'>): string => labels[label.podUid] ?? '';

export const containerNameOf = ({ labels }: Pick<Container, 'labels'>): string =>
  labels[label.container] ?? '';

export const attemptOf = ({ labels }: Pick<Container, 'labels'>): number => whole(labels[label.attempt]);

export const crashesOf = ({ labels }: Pick<Container, 'labels'>): number => whole(labels[label.crashes]);

export const sandboxOf = ({ labels }: Pick<Container, 'labels'>): string | undefined => labels[label.sandbox];

export const addressOf = ({ labels }: Pick<Container, 'labels'>): string | undefined => labels[label.address];

/** Undefined on what was made without. */
export const graceOf = ({ labels }: Pick<Container, 'labels'>): number | undefined => {
  const text = labels[label.graceSeconds];
  return text === undefined ? undefined : whole(text);
};
