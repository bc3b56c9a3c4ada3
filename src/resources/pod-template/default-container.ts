// Defaults of containers: probes, ports, pull policy, environment (Kubernetes' pkg/apis/core/v1/defaults.go).
import { mapped, withChanges, withDefaults } from '../defaults.js';
import type {
  Container,
  ContainerPort,
  EnvVar,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
} from '../generated/types.js';

/** `latest` or no tag is pulled always; a digest or another tag only when missing. */
export const defaultPullPolicy = (image: string): 'Always' | 'IfNotPresent' => {
  if (image.includes('@')) return 'IfNotPresent';
  const [, tag] = /:([^:/]+)$/.exec(image) ?? [];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
};

const httpGet = (action: HTTPGetAction): HTTPGetAction =>
  withDefaults(action.path === '' ? { ...action, path: '/' } : action, { path: '/', scheme: 'HTTP' });

const probe = (given: Probe): Probe => {
  const changed = withChanges(given, {
    httpGet: given.httpGet && httpGet(given.httpGet),
    grpc: given.grpc && withDefaults(given.grpc, { service: '' }),
  });
  return positive(changed);
};

/** Zero counts as absent, as in Go. */
const positive = (given: Probe): Probe =>
  withChanges(given, {
    timeoutSeconds: given.timeoutSeconds || 1,
    periodSeconds: given.periodSeconds || 10,
    successThreshold: given.successThreshold || 1,
    failureThreshold: given.failureThreshold || 3,
  });

const handler = (given: LifecycleHandler): LifecycleHandler =>
  withChanges(given, { httpGet: given.httpGet && httpGet(given.httpGet) });

const environment = (variable: EnvVar): EnvVar => {
  const { valueFrom } = variable;
  if (valueFrom === undefined) return variable;
  return withChanges(variable, {
    valueFrom: withChanges(valueFrom, {
      fieldRef: valueFrom.fieldRef && withDefaults(valueFrom.fieldRef, { apiVersion: 'v1' }),
      resourceFieldRef:
        valueFrom.resourceFieldRef && withDefaults(valueFrom.resourceFieldRef, { divisor: '0' }),
    }),
  });
};

/** In the host's network a container port is a host port. */
const port =
  (hostNetwork: boolean) =>
  (given: ContainerPort): ContainerPort =>
    withDefaults(given, { protocol: 'TCP', ...(hostNetwork ? { hostPort: given.containerPort } : {}) });

/** Also for ephemeral containers, which have the same fields. */
export const defaultedContainer = <C extends Container>(container: C, hostNetwork: boolean): C => {
  const { lifecycle, image = '' } = container;
  const filled: Container = withDefaults<Container>(container, {
    imagePullPolicy: defaultPullPolicy(image),
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  return withChanges<Container>(filled, {
    ports: mapped(container.ports, port(hostNetwork)),
    env: mapped(container.env, environment),
    livenessProbe: container.livenessProbe && probe(container.livenessProbe),
    readinessProbe: container.readinessProbe && probe(container.readinessProbe),
    startupProbe: container.startupProbe && probe(container.startupProbe),
    lifecycle:
      lifecycle &&
      withChanges(lifecycle, {
        postStart: lifecycle.postStart && handler(lifecycle.postStart),
        preStop: lifecycle.preStop && handler(lifecycle.preStop),
      }),
  }) as C;
};

/** A limit without a request is the request too. On pods only, not on templates. */
export const withRequestsFromLimits = (container: Container): Container => {
  const { resources } = container;
  if (resources?.limits === undefined) return container;
  const requests = withDefaults(resources.requests ?? {}, resources.limits);
  return requests === resources.requests || Object.keys(requests).length === 0
    ? container
    : { ...container, resources: { ...resources, requests } };
};
