// Rules about probes and lifecycle hooks.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from '../generated/types.js';
import { allInvalid, forbidden, invalid, nonNegative, oneOf, required } from '../validation/field-errors.js';
import { portNameErrors, portNumberErrors } from '../validation/names.js';

/** A number in range or the name of a port. */
export const portErrors = (field: string, port: number | string): readonly FieldError[] =>
  typeof port === 'number'
    ? portNumberErrors(port).map((why) => invalid(field, port, why))
    : allInvalid(field, port, portNameErrors(port));

const httpGetErrors = (field: string, action: HTTPGetAction): readonly FieldError[] => [
  ...(action.path === undefined || action.path === '' ? [required(child(field, 'path'))] : []),
  ...portErrors(child(field, 'port'), action.port),
  ...oneOf(child(field, 'scheme'), action.scheme, ['HTTP', 'HTTPS']),
  ...(action.httpHeaders ?? []).flatMap(({ name }, index) =>
    /^[-A-Za-z0-9]+$/.test(name)
      ? []
      : [
          invalid(
            child(item(child(field, 'httpHeaders'), index), 'name'),
            name,
            "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
          ),
        ],
  ),
];

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>;

const handlerErrors = (field: string, handler: Handler): readonly FieldError[] => {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const [first, ...others] = handlers.filter((name) => handler[name] !== undefined);
  if (first === undefined) return [required(field, 'must specify a handler type')];
  return [
    ...others.map((name) => forbidden(child(field, name), 'may not specify more than 1 handler type')),
    ...(exec !== undefined && (exec.command ?? []).length === 0
      ? [required(child(field, 'exec.command'))]
      : []),
    ...(httpGet === undefined ? [] : httpGetErrors(child(field, 'httpGet'), httpGet)),
    ...(tcpSocket === undefined ? [] : portErrors(child(field, 'tcpSocket.port'), tcpSocket.port)),
    ...(grpc === undefined ? [] : portErrors(child(field, 'grpc.port'), grpc.port)),
    ...(sleep === undefined ? [] : nonNegative(child(field, 'sleep.seconds'), sleep.seconds)),
  ];
};

const counters = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

const probeErrors = (field: string, probe: Probe): readonly FieldError[] => {
  const grace = probe.terminationGracePeriodSeconds;
  return [
    ...handlerErrors(field, probe),
    ...counters.flatMap((counter) => nonNegative(child(field, counter), probe[counter])),
    ...(grace !== undefined && grace <= 0
      ? [invalid(child(field, 'terminationGracePeriodSeconds'), grace, 'must be greater than 0')]
      : []),
  ];
};

/** One success must be enough to be alive or started. */
const onceErrors = (field: string, { successThreshold = 1 }: Probe): readonly FieldError[] =>
  successThreshold === 1 ? [] : [invalid(child(field, 'successThreshold'), successThreshold, 'must be 1')];

export const probesErrors = (field: string, container: Container): readonly FieldError[] => {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  const [liveness, readiness, startup] = ['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) =>
    child(field, name),
  ) as [string, string, string];
  return [
    ...(lifecycle?.postStart === undefined
      ? []
      : handlerErrors(child(field, 'lifecycle.postStart'), lifecycle.postStart)),
    ...(lifecycle?.preStop === undefined
      ? []
      : handlerErrors(child(field, 'lifecycle.preStop'), lifecycle.preStop)),
    ...(livenessProbe === undefined
      ? []
      : [...probeErrors(liveness, livenessProbe), ...onceErrors(liveness, livenessProbe)]),
    ...(readinessProbe === undefined ? [] : probeErrors(readiness, readinessProbe)),
    ...(readinessProbe?.terminationGracePeriodSeconds === undefined
      ? []
      : [
          invalid(
            child(readiness, 'terminationGracePeriodSeconds'),
            readinessProbe.terminationGracePeriodSeconds,
            'must not be set for readinessProbes',
          ),
        ]),
    ...(startupProbe === undefined
      ? []
      : [...probeErrors(startup, startupProbe), ...onceErrors(startup, startupProbe)]),
  ];
};
