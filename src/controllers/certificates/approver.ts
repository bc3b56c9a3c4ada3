// Approves the certificates of node agents, under exactly the conditions of kubeadm's clusters; all others wait for people.
import type { Instant } from '../../base/clock.js';
import { toTimestamp } from '../../base/clock.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision } from '../../reconcile/controller.js';
import { isConditionTrue } from '../../resources/conditions.js';
import type { CertificateSigningRequest, Node } from '../../resources/generated/types.js';
import { certificatesigningrequests } from '../../resources/kinds/certificatesigningrequests.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { services } from '../../resources/kinds/services.js';
import { isDeleting, nameOf } from '../../resources/resource.js';
import { machineOf, sameMachine } from '../../resources/joining.js';
import { askedOf, isDecided, parsed, type Parsed } from './observe.js';
import { nodePrefix, profileProblem, signers } from './profile.js';

/** Kubernetes' `certificatesigningrequests/nodeclient` and `/selfnodeclient`. */
export type RequestRight = 'nodeclient' | 'selfnodeclient';

/** Whether who asked has the right to have such a request approved. */
export type RequestAccess = (
  who: { readonly user: string; readonly groups: readonly string[] },
  right: RequestRight,
) => boolean;

export interface ApproverObserved extends Parsed {
  /** Of the name that is asked for. */
  readonly node: Node | undefined;
  /** Rights of who asked. */
  readonly rights: readonly RequestRight[];
  /** Addresses that nobody may have a certificate for: those of other nodes and of the API server. */
  readonly taken: ReadonlySet<string>;
}

const reservedNames: ReadonlySet<string> = new Set([
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]);

const addressesOf = (node: Node | undefined, type?: string): readonly string[] =>
  (node?.status?.addresses ?? []).flatMap((one) =>
    type === undefined || one.type === type ? [one.address] : [],
  );

const takenAddresses = (view: View, nodeName: string): ReadonlySet<string> => {
  const api = { name: 'kubernetes', namespace: 'default' };
  return new Set([
    ...view.list(nodes).flatMap((node) => (node.metadata.name === nodeName ? [] : addressesOf(node))),
    ...(view.get(endpointslices, api)?.endpoints ?? []).flatMap(({ addresses }) => addresses),
    view.get(services, api)?.spec.clusterIP ?? '',
    '127.0.0.1',
  ]);
};

const decide = (
  request: CertificateSigningRequest,
  {
    type,
    reason,
    message,
  }: { readonly type: 'Approved' | 'Denied'; readonly reason: string; readonly message: string },
  now: Instant,
): Decision<ClusterAction> => {
  const { metadata, status } = request;
  const at = toTimestamp(now);
  const conditions = [
    ...(status?.conditions ?? []),
    { type, status: 'True', reason, message, lastUpdateTime: at, lastTransitionTime: at },
  ];
  return {
    actions: [
      {
        type: 'patch',
        kind: certificatesigningrequests,
        name: nameOf(request),
        patch: {
          type: 'merge',
          patch: { metadata: { resourceVersion: metadata.resourceVersion }, status: { conditions } },
        },
        subresource: 'approval',
      },
      {
        type: 'event',
        event: { regarding: request, type: type === 'Denied' ? 'Warning' : 'Normal', reason, message },
      },
    ],
    because: message,
  };
};

const waits = (because: string): Decision<ClusterAction> => ({ actions: [], because });

/** A live node keeps its name; its own machine may ask again, such as after its data directory was lost. */
const conflictOf = ({ request, node }: ApproverObserved): string | undefined => {
  if (node === undefined || !isConditionTrue(node.status?.conditions, 'Ready')) return undefined;
  if (sameMachine(machineOf(request), node)) return undefined;
  const { name } = node.metadata;
  const address = addressesOf(node, 'InternalIP')[0] ?? 'unknown address';
  return `the name ${name} is taken by a node that is alive, on another machine (${address}): choose another with --node-name, or remove it first with \`kubectl delete node ${name}\` when its agent has been stopped`;
};

const client = (observed: ApproverObserved, commonName: string, now: Instant): Decision<ClusterAction> => {
  const { request, rights } = observed;
  const own = request.spec.username === commonName;
  if (own && rights.includes('selfnodeclient'))
    return decide(
      request,
      {
        type: 'Approved',
        reason: 'AutoApproved',
        message: `${commonName} renews its own client certificate`,
      },
      now,
    );
  if (!rights.includes('nodeclient'))
    return waits(
      `${request.spec.username ?? ''} may not have the certificate of a node approved: someone has to decide`,
    );
  const conflict = conflictOf(observed);
  if (conflict !== undefined)
    return decide(request, { type: 'Denied', reason: 'NodeNameTaken', message: conflict }, now);
  return decide(
    request,
    {
      type: 'Approved',
      reason: 'AutoApproved',
      message: `${request.spec.username ?? ''} was invited to join as ${commonName}`,
    },
    now,
  );
};

/** What a node may be called: its own name, and the addresses that its Node object shows. */
const server = (observed: ApproverObserved, now: Instant): Decision<ClusterAction> => {
  const { request, facts, node, taken } = observed;
  const commonName = facts?.commonName ?? '';
  if (request.spec.username !== commonName)
    return waits(
      `${request.spec.username ?? ''} asks for the serving certificate of ${commonName}: someone has to decide`,
    );
  if (node === undefined) return waits(`there is no node ${commonName.slice(nodePrefix.length)} (yet)`);
  const names = new Set([node.metadata.name, ...addressesOf(node)]);
  const foreign = [...(facts?.dnsNames ?? []), ...(facts?.addresses ?? [])].filter(
    (name) => !names.has(name),
  );
  if (foreign.length > 0)
    return waits(`${foreign.join(', ')} is not among the addresses of the node: someone has to decide`);
  const claimed = [
    ...(facts?.addresses ?? []).filter((address) => taken.has(address)),
    ...(facts?.dnsNames ?? []).filter((name) => reservedNames.has(name)),
  ];
  if (claimed.length > 0)
    return waits(`${claimed.join(', ')} belongs to the API server or to another node: someone has to decide`);
  return decide(
    request,
    { type: 'Approved', reason: 'AutoApproved', message: `every name is one of the node's own` },
    now,
  );
};

const nodeNameOf = ({ facts }: Parsed): string => (facts?.commonName ?? '').slice(nodePrefix.length);

const automatic: ReadonlySet<string> = new Set([signers.agentClient, signers.agentServer]);

export const createApprover = (access: RequestAccess): Controller<ApproverObserved, ClusterAction> => ({
  name: 'certificate-approver',
  watches: [
    {
      kind: certificatesigningrequests,
      keys: ({ type, object }) => (type === 'deleted' ? [] : [nameOf(object)]),
    },
    {
      // A serving certificate waits for the addresses of its node.
      kind: nodes,
      keys: ({ object }, view) =>
        view
          .list(certificatesigningrequests)
          .filter(
            ({ spec, status }) =>
              spec.username === `${nodePrefix}${object.metadata.name}` && status?.conditions === undefined,
          )
          .map(nameOf),
    },
  ],
  observe: (view, key) => {
    const request = view.get(certificatesigningrequests, key);
    if (request === undefined || isDeleting(request) || isDecided(request)) return undefined;
    if (!automatic.has(request.spec.signerName)) return undefined;
    const read = parsed(request);
    const who = { user: request.spec.username ?? '', groups: request.spec.groups ?? [] };
    return {
      ...read,
      node: view.get(nodes, { name: nodeNameOf(read) }),
      rights: (['nodeclient', 'selfnodeclient'] as const).filter((right) => access(who, right)),
      taken: takenAddresses(view, nodeNameOf(read)),
    };
  },
  reconcile: (observed, now) => {
    const { request, facts, problem } = observed;
    if (facts === undefined) return waits(problem);
    const why = profileProblem(askedOf(request, facts));
    if (why !== undefined) return waits(`${why}: someone has to decide`);
    return request.spec.signerName === signers.agentServer
      ? server(observed, now)
      : client(observed, facts.commonName, now);
  },
});
