// What Ingresses, Gateways, their classes and HTTPRoutes are told about themselves.
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Key } from '../../reconcile/controller.js';
import { withCondition } from '../../resources/conditions.js';
import type { Condition } from '../../resources/generated/types.js';
import { gatewayclasses } from '../../resources/kinds/gatewayclasses.js';
import { gateways } from '../../resources/kinds/gateways.js';
import { httproutes } from '../../resources/kinds/httproutes.js';
import { ingresses } from '../../resources/kinds/ingresses.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { services } from '../../resources/kinds/services.js';
import type { Resource } from '../../resources/resource.js';
import { internalAddress } from '../peers.js';
import { gatewayController, gatewayRoutes, ownGateways } from './gateway-routes.js';
import type { GatewayOutcome, Verdict } from './gateway-routes.js';
import { ownIngresses } from './ingress-routes.js';
import { layer7Kinds } from './layer7-agent.js';

/** On the Node that serves Ingresses and Gateways: its two ports. */
export const ingressAnnotation = 'capstan.dev/ingress-ports';

interface Desired {
  readonly kind: Extract<ClusterAction, { readonly type: 'updateStatus' }>['kind'];
  readonly object: Resource & { readonly status?: object | undefined };
  /** The whole status, given the present time. */
  status(now: Instant): object;
}

/** One key for all: what one route is told follows from many objects. */
const all: Key = { name: 'all' };

const addressesOf = (view: View): readonly string[] =>
  view
    .list(nodes)
    .filter(({ metadata }) => metadata.annotations?.[ingressAnnotation] !== undefined)
    .flatMap((node) => internalAddress(node) ?? [])
    .sort();

const merged = (
  present: readonly Condition[] | undefined,
  verdicts: readonly Verdict[],
  { generation = 0, now }: { readonly generation?: number | undefined; readonly now: Instant },
): readonly Condition[] =>
  verdicts.reduce<readonly Condition[]>(
    (conditions, verdict) =>
      withCondition(
        conditions,
        {
          ...verdict,
          observedGeneration: generation,
          lastTransitionTime: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
        },
        now,
      ),
    present ?? [],
  );

const ok = (type: string, reason: string): Verdict => ({ type, status: 'True', reason, message: '' });

const idOf = ({ metadata }: Resource): string => `${metadata.namespace ?? ''}/${metadata.name}`;

const ingressStatus = (view: View, addresses: readonly string[]): readonly Desired[] =>
  ownIngresses(view).map((object) => ({
    kind: ingresses,
    object,
    status: () => ({
      loadBalancer: addresses.length === 0 ? {} : { ingress: addresses.map((ip) => ({ ip })) },
    }),
  }));

const classStatus = (view: View): readonly Desired[] =>
  view
    .list(gatewayclasses)
    .filter(({ spec }) => spec.controllerName === gatewayController)
    .map((object) => ({
      kind: gatewayclasses,
      object,
      status: (now) => ({
        conditions: merged(object.status?.conditions, [ok('Accepted', 'Accepted')], {
          generation: object.metadata.generation,
          now,
        }),
      }),
    }));

const programmedVerdict = (served: boolean, reached: boolean): Verdict => {
  if (served && reached) return ok('Programmed', 'Programmed');
  return {
    type: 'Programmed',
    status: 'False',
    reason: served ? 'AddressNotAssigned' : 'Invalid',
    message: served
      ? 'no node serves Gateways: the events of the nodes say why'
      : 'no listener can be served',
  };
};

const gatewayStatus = (
  view: View,
  outcome: GatewayOutcome,
  addresses: readonly string[],
): readonly Desired[] =>
  ownGateways(view).map((object) => {
    const listeners = outcome.gateways.get(idOf(object)) ?? [];
    const served = listeners.some(({ conditions }) =>
      conditions.some(({ type, status }) => type === 'Programmed' && status === 'True'),
    );
    const verdicts = [ok('Accepted', 'Accepted'), programmedVerdict(served, addresses.length > 0)];
    const { generation } = object.metadata;
    return {
      kind: gateways,
      object,
      status: (now) => ({
        addresses: addresses.map((value) => ({ type: 'IPAddress', value })),
        conditions: merged(object.status?.conditions, verdicts, { generation, now }),
        listeners: listeners.map(({ name, attached, conditions }) => ({
          name,
          attachedRoutes: attached,
          supportedKinds: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' }],
          conditions: merged(
            object.status?.listeners?.find((one) => one.name === name)?.conditions,
            conditions,
            { generation, now },
          ),
        })),
      }),
    };
  });

const routeStatus = (view: View, outcome: GatewayOutcome): readonly Desired[] =>
  view.list(httproutes).flatMap((object): readonly Desired[] => {
    const parents = outcome.parents.get(idOf(object));
    const known = object.status?.parents ?? [];
    const others = known.filter(({ controllerName }) => controllerName !== gatewayController);
    if (parents === undefined && known.length === others.length) return [];
    const status = (now: Instant): object => ({
      parents: [
        ...others,
        ...(parents ?? []).map(({ parentRef, conditions }) => ({
          parentRef,
          controllerName: gatewayController,
          conditions: merged(
            known.find((one) => one.controllerName === gatewayController && equal(one.parentRef, parentRef))
              ?.conditions,
            conditions,
            { generation: object.metadata.generation, now },
          ),
        })),
      ],
    });
    return [{ kind: httproutes, object, status }];
  });

const desiredOf = (view: View): readonly Desired[] => {
  const addresses = addressesOf(view);
  const outcome = gatewayRoutes(view);
  return [
    ...ingressStatus(view, addresses),
    ...classStatus(view),
    ...gatewayStatus(view, outcome, addresses),
    ...routeStatus(view, outcome),
  ];
};

export const layer7StatusController: Controller<readonly Desired[], ClusterAction> = {
  name: 'ingress-status',
  watches: [
    ...[
      ...layer7Kinds.filter((kind) => kind.plural !== 'endpointslices' && kind.plural !== services.plural),
      services,
      secrets,
    ].map((kind) => ({ kind, keys: () => [all] })),
    {
      kind: nodes,
      // Heartbeats change nodes all the time.
      keys: ({ type, object, previous }) =>
        type === 'modified' &&
        object.metadata.annotations?.[ingressAnnotation] ===
          previous?.metadata.annotations?.[ingressAnnotation]
          ? []
          : [all],
    },
  ],
  observe: desiredOf,
  reconcile: (desired, now) => {
    const actions = desired.flatMap(({ kind, object, status }): readonly ClusterAction[] => {
      const next = status(now);
      if (equal(object.status ?? {}, next)) return [];
      return [{ type: 'updateStatus', kind, object: { ...object, status: next } as Resource }];
    });
    return { actions, because: `${String(desired.length)} Ingresses, Gateways and routes are looked after` };
  },
};
