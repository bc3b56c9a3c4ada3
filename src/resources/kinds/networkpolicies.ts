// NetworkPolicies: which traffic the pods that they select may receive and send.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { mapped, withChanges } from '../defaults.js';
import { child, item } from '../field-path.js';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { formatLabelSelector } from '../label-selector.js';
import { forbidden, invalid, oneOf, required } from '../validation/field-errors.js';
import { isStrictlyWithin, parseIpRange } from '../validation/ip-range.js';
import { nameErrors } from '../validation/metadata.js';
import { portNameErrors, portNumberErrors } from '../validation/names.js';
import { labelSelectorErrors } from '../validation/selectors.js';

type Spec = NetworkPolicy['spec'];

const defaultedPorts = <R extends { readonly ports?: readonly NetworkPolicyPort[] | undefined }>(
  rule: R,
): R => {
  const ports = mapped(rule.ports, (port) => withChanges(port, { protocol: port.protocol ?? 'TCP' }));
  return ports === rule.ports ? rule : { ...rule, ports };
};

const defaulted = (policy: NetworkPolicy): NetworkPolicy => {
  // A draft's spec may be missing, whatever the type of an accepted policy says.
  const spec = (policy.spec as Spec | undefined) ?? {};
  const unsaid = (spec.policyTypes ?? []).length === 0;
  const types = spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
  return withChanges(policy, {
    spec: withChanges(spec, {
      podSelector: spec.podSelector ?? {},
      ingress: mapped(spec.ingress, defaultedPorts),
      egress: mapped(spec.egress, defaultedPorts),
      ...(unsaid ? { policyTypes: types } : {}),
    }),
  });
};

const endPortErrors = (field: string, { port, endPort }: NetworkPolicyPort): readonly FieldError[] => {
  if (endPort === undefined) return [];
  const at = child(field, 'endPort');
  if (port === undefined) return [invalid(at, endPort, 'may not be specified when `port` is not specified')];
  if (typeof port === 'string')
    return [invalid(at, endPort, 'may not be specified when `port` is non-numeric')];
  return [
    ...(endPort < port ? [invalid(at, port, 'must be greater than or equal to `port`')] : []),
    ...portNumberErrors(endPort).map((why) => invalid(at, endPort, why)),
  ];
};

const portErrors = (field: string, rule: NetworkPolicyPort): readonly FieldError[] => {
  const { port, protocol } = rule;
  const problems =
    port === undefined ? [] : typeof port === 'number' ? portNumberErrors(port) : portNameErrors(port);
  return [
    ...oneOf(child(field, 'protocol'), protocol, ['SCTP', 'TCP', 'UDP']),
    ...problems.map((why) => invalid(child(field, 'port'), port, why)),
    ...endPortErrors(field, rule),
  ];
};

const notCidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

const blockErrors = (field: string, { cidr, except = [] }: IPBlock): readonly FieldError[] => {
  const at = child(field, 'cidr');
  if (cidr === '') return [required(at)];
  const range = parseIpRange(cidr);
  return [
    ...(range === undefined ? [invalid(at, cidr, notCidr)] : []),
    ...except.flatMap((text, index) => {
      const place = item(child(field, 'except'), index);
      const hole = parseIpRange(text);
      if (hole === undefined) return [invalid(place, text, notCidr)];
      return range === undefined || isStrictlyWithin(hole, range)
        ? []
        : [invalid(place, text, `must be a strict subset of \`cidr\``)];
    }),
  ];
};

const peerErrors = (field: string, peer: NetworkPolicyPeer): readonly FieldError[] => {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  const count = [ipBlock, namespaceSelector, podSelector].filter((part) => part !== undefined).length;
  return [
    ...labelSelectorErrors(child(field, 'podSelector'), podSelector),
    ...labelSelectorErrors(child(field, 'namespaceSelector'), namespaceSelector),
    ...(ipBlock === undefined ? [] : blockErrors(child(field, 'ipBlock'), ipBlock)),
    ...(count === 0 ? [required(field, 'must specify a peer')] : []),
    ...(count > 1 && ipBlock !== undefined
      ? [forbidden(field, 'may not specify both ipBlock and another peer')]
      : []),
  ];
};

interface Rule {
  readonly ports?: readonly NetworkPolicyPort[] | undefined;
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
}

const ruleErrors = (
  field: string,
  { ports, peers }: Rule,
  direction: 'from' | 'to',
): readonly FieldError[] => [
  ...(ports ?? []).flatMap((port, index) => portErrors(item(child(field, 'ports'), index), port)),
  ...(peers ?? []).flatMap((peer, index) => peerErrors(item(child(field, direction), index), peer)),
];

const validate = ({ metadata, spec }: NetworkPolicy): readonly FieldError[] => {
  const { policyTypes = [] } = spec;
  return [
    ...nameErrors(metadata),
    ...labelSelectorErrors('spec.podSelector', spec.podSelector),
    ...(spec.ingress ?? []).flatMap(({ from, ports }, index) =>
      ruleErrors(item('spec.ingress', index), { ports, peers: from }, 'from'),
    ),
    ...(spec.egress ?? []).flatMap(({ to, ports }, index) =>
      ruleErrors(item('spec.egress', index), { ports, peers: to }, 'to'),
    ),
    ...(policyTypes.length > 2
      ? [invalid('spec.policyTypes', policyTypes, 'may not specify more than two policyTypes')]
      : policyTypes.flatMap((type, index) =>
          oneOf(item('spec.policyTypes', index), type, ['Egress', 'Ingress']),
        )),
  ];
};

export const networkpolicies = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  namespaced: true,
  definition: 'io.k8s.api.networking.v1.NetworkPolicy',
  generationFields: ['spec'],
  columns: [
    nameColumn,
    text('Pod-Selector', 'The pods that the policy is about.', ({ spec }) =>
      formatLabelSelector(spec.podSelector ?? {}),
    ),
    ageColumn,
  ],
  defaulted,
  validate,
});
