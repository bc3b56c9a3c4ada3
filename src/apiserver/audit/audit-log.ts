// The audit log: one audit.k8s.io/v1 Event in JSON a line, for every stage of every request that the policy records.
import type { Instant } from '../../base/clock.js';
import type { Identity } from '../../base/http.js';
import { isObject } from '../../base/json.js';
import type { Answered, Observer, Trace } from '../trace.js';
import { isStream } from '../trace.js';
import { recordedOf } from './policy.js';
import type { Policy, Recorded, Stage } from './policy.js';
import { isConfidential, redacted, redactedTarget } from './redact.js';

/** Takes lines at any pace: what it cannot keep up with it drops and counts, it never makes a request wait. */
export interface AuditSink {
  write(line: string): void;
}

interface Details {
  readonly stage: Stage;
  readonly recorded: Recorded;
  readonly at: Instant;
  readonly tookMs: number;
  readonly code?: number;
  readonly responseStatus?: unknown;
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly createdName?: string | undefined;
}

const userOf = ({ user, groups }: Identity): unknown => ({ username: user, groups });

/** RFC 3339 in microseconds: a millisecond is long for a request. */
const micros = (at: number): string => {
  const whole = Math.floor(at);
  const fraction = Math.floor((at - whole) * 1000);
  return `${new Date(whole).toISOString().slice(0, 23)}${String(fraction).padStart(3, '0')}Z`;
};

const objectRef = ({ route }: Trace, createdName: string | undefined): unknown => {
  if (route.type !== 'resource') return undefined;
  return {
    resource: route.plural,
    namespace: route.namespace,
    name: route.name ?? createdName,
    apiGroup: route.group === '' ? undefined : route.group,
    apiVersion: route.version,
    subresource: route.subresource,
  };
};

const unknownUser: Identity = { user: '', groups: [] };

const eventLine = (trace: Trace, details: Details): string => {
  const { request, identity, actor, wanted, allowed, reason } = trace;
  const { stage, recorded, at, tookMs, code, responseStatus } = details;
  const impersonated = actor !== undefined && identity !== undefined && actor.user !== identity.user;
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: recorded.level,
    auditID: trace.id,
    stage,
    requestURI: redactedTarget(request.target ?? request.path),
    verb: wanted?.verb ?? request.method.toLowerCase(),
    user: userOf(identity ?? unknownUser),
    impersonatedUser: impersonated ? userOf(actor) : undefined,
    sourceIPs: [request.remoteAddress],
    userAgent: request.headers['user-agent'],
    objectRef: objectRef(trace, details.createdName),
    responseStatus: code === undefined ? undefined : (responseStatus ?? { metadata: {}, code }),
    requestObject: details.requestObject,
    responseObject: details.responseObject,
    requestReceivedTimestamp: micros(trace.receivedAt),
    stageTimestamp: micros(at),
    annotations:
      allowed === undefined
        ? undefined
        : {
            'authorization.k8s.io/decision': allowed ? 'allow' : 'forbid',
            'authorization.k8s.io/reason': reason ?? '',
            'apiserver.latency.k8s.io/total': `${tookMs.toFixed(3)}ms`,
          },
  });
};

const parsed = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return undefined; // protobuf, YAML or nothing: there is no object to show
  }
};

const withoutManagedFields = (value: unknown): unknown => {
  if (!isObject(value)) return value;
  const { items, metadata } = value;
  if (Array.isArray(items)) return { ...value, items: items.map(withoutManagedFields) };
  if (!isObject(metadata) || metadata['managedFields'] === undefined) return value;
  return { ...value, metadata: { ...metadata, managedFields: undefined } };
};

const shown = (bytes: Uint8Array, { omitManagedFields }: Recorded): unknown => {
  const value = redacted(parsed(bytes));
  return omitManagedFields ? withoutManagedFields(value) : value;
};

const bodyOf = ({ response }: Answered): Uint8Array =>
  Array.isArray(response.body) && response.headers['content-encoding'] === undefined
    ? Buffer.concat(response.body as readonly Uint8Array[])
    : new Uint8Array();

/** Created objects begin with their name: the first one in the answer's bytes is the object's own. */
const nameBytes = 512;
const createdName = ({ trace, response }: Answered): string | undefined => {
  if (response.status !== 201 || trace.request.method !== 'POST' || !Array.isArray(response.body))
    return undefined;
  const [first] = response.body as readonly Uint8Array[];
  if (first === undefined) return undefined;
  const head = Buffer.from(first.buffer, first.byteOffset, Math.min(first.byteLength, nameBytes)).toString(
    'latin1',
  );
  return /"metadata":\{[^{}[\]]*?"name":"([^"\\]*)"/.exec(head)?.[1];
};

/** Kubernetes' Status of a request that failed, without the object; of a confidential one without its sentence. */
const failure = (answered: Answered, confidential: boolean): unknown => {
  const { status } = answered.response;
  if (status < 400 || isStream(answered.response)) return undefined;
  const value = parsed(bodyOf(answered));
  if (!isObject(value) || value['kind'] !== 'Status') return undefined;
  const { status: outcome, message, reason } = value;
  return { metadata: {}, status: outcome, ...(confidential ? {} : { message }), reason, code: status };
};

/** What a proxy passes on is nobody's object, and manifests that are to be planned hold whatever their author wrote. */
const hasObjects = ({ route }: Trace): boolean => route.type === 'resource' && route.subresource !== 'proxy';

const isWrite = ({ request: { method } }: Trace): boolean => method !== 'GET' && method !== 'HEAD';

export class AuditLog implements Observer {
  readonly #policy: Policy;
  readonly #sink: AuditSink;

  constructor(policy: Policy, sink: AuditSink) {
    this.#policy = policy;
    this.#sink = sink;
  }

  /** The request has been understood, and who sent it is known. */
  received(trace: Trace): void {
    const recorded = this.#recorded(trace);
    if (recorded === undefined || recorded.omitStages.includes('RequestReceived')) return;
    this.#sink.write(
      eventLine(trace, { stage: 'RequestReceived', recorded, at: trace.receivedAt, tookMs: 0 }),
    );
  }

  answered(answered: Answered): void {
    const recorded = this.#recorded(answered.trace);
    if (recorded === undefined) return;
    const stage = isStream(answered.response) ? 'ResponseStarted' : 'ResponseComplete';
    if (!recorded.omitStages.includes(stage)) this.#write(answered, recorded, stage);
  }

  ended(answered: Answered): void {
    const recorded = this.#recorded(answered.trace);
    if (recorded !== undefined && !recorded.omitStages.includes('ResponseComplete'))
      this.#write(answered, recorded, 'ResponseComplete');
  }

  #recorded({ identity, actor, wanted }: Trace): Recorded | undefined {
    if (wanted === undefined) return undefined;
    const recorded = recordedOf(this.#policy, actor ?? identity ?? unknownUser, wanted);
    if (recorded.level === 'None') return undefined;
    return isConfidential(wanted) ? { ...recorded, level: 'Metadata' } : recorded;
  }

  #write(answered: Answered, recorded: Recorded, stage: Stage): void {
    const { trace, response, tookMs } = answered;
    const confidential = trace.wanted !== undefined && isConfidential(trace.wanted);
    const details = {
      stage,
      recorded,
      at: trace.receivedAt + tookMs,
      tookMs,
      code: response.status,
      responseStatus: failure(answered, confidential),
      createdName: createdName(answered),
    };
    if (recorded.level === 'Metadata' || !hasObjects(trace)) {
      this.#sink.write(eventLine(trace, details));
      return;
    }
    const responseObject =
      recorded.level === 'RequestResponse' ? shown(bodyOf(answered), recorded) : undefined;
    const write = (requestObject: unknown): void =>
      this.#sink.write(eventLine(trace, { ...details, requestObject, responseObject }));
    if (!isWrite(trace)) {
      write(undefined);
      return;
    }
    // The verb has read the body already: this is the same one once more.
    trace.request.body().then(
      (bytes) => write(shown(bytes, recorded)),
      () => write(undefined),
    );
  }
}
