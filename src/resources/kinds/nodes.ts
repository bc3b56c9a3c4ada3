// Nodes: machines that run pods.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, orNone, text, wide } from '../columns.js';
import { conditionOf } from '../conditions.js';
import { withChanges } from '../defaults.js';
import { child, item } from '../field-path.js';
import type { Node, Taint } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { taintEffects } from '../pod-template/validate-scheduling.js';
import { allInvalid, duplicate, forbidden, oneOf, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { cidrErrors, labelValueErrors, qualifiedNameErrors } from '../validation/names.js';

const statusOf = ({ spec, status }: Node): string => {
  const ready = conditionOf(status?.conditions, 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec.unschedulable === true ? `${word},SchedulingDisabled` : word;
};

const rolePrefix = 'node-role.kubernetes.io/';

const rolesOf = ({ metadata }: Node): string => {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
    if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return orNone([...roles].sort().join(','));
};

const addressOf = ({ status }: Node, type: string): string =>
  orNone(status?.addresses?.find((address) => address.type === type)?.address);

const known = (value: string | undefined): string =>
  value === undefined || value === '' ? '<unknown>' : value;

const columns: readonly Column<Node>[] = [
  nameColumn,
  text('Status', 'The status of the node', statusOf),
  text('Roles', 'The roles of the node', rolesOf),
  ageColumn,
  text(
    'Version',
    'Kubelet Version reported by the node.',
    ({ status }) => status?.nodeInfo?.kubeletVersion ?? '',
  ),
  wide('Internal-IP', 'Address of the node inside the cluster.', (node) => addressOf(node, 'InternalIP')),
  wide('External-IP', 'Address of the node for the outside.', (node) => addressOf(node, 'ExternalIP')),
  wide('OS-Image', 'OS Image reported by the node.', ({ status }) => known(status?.nodeInfo?.osImage)),
  wide('Kernel-Version', 'Kernel Version reported by the node.', ({ status }) =>
    known(status?.nodeInfo?.kernelVersion),
  ),
  wide('Container-Runtime', 'ContainerRuntime Version reported by the node.', ({ status }) =>
    known(status?.nodeInfo?.containerRuntimeVersion),
  ),
];

/** What is not kept back for the machine itself may be used up by pods. */
const defaulted = (node: Node): Node => {
  const { status } = node;
  const spec = (node.spec as Node['spec'] | undefined) ?? {};
  return withChanges(node, {
    spec,
    status:
      status?.capacity !== undefined && status.allocatable === undefined
        ? { ...status, allocatable: status.capacity }
        : status,
  });
};

const taintErrors = (field: string, taints: readonly Taint[]): readonly FieldError[] => {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const at = item(field, index);
    const { key, value = '', effect } = taint;
    const identity = `${key}:${effect}`;
    const taken = seen.has(identity);
    seen.add(identity);
    return [
      ...allInvalid(child(at, 'key'), key, qualifiedNameErrors(key)),
      ...allInvalid(child(at, 'value'), value, labelValueErrors(value)),
      ...(effect === '' ? [required(child(at, 'effect'))] : oneOf(child(at, 'effect'), effect, taintEffects)),
      ...(taken ? [duplicate(at, taint)] : []),
    ];
  });
};

const validate = ({ metadata, spec }: Node, old: Node | undefined): readonly FieldError[] => {
  const before = old?.spec;
  return [
    ...nameErrors(metadata),
    ...taintErrors('spec.taints', spec.taints ?? []),
    ...(spec.podCIDRs ?? []).flatMap((cidr, index) =>
      allInvalid(item('spec.podCIDRs', index), cidr, cidrErrors(cidr)),
    ),
    ...((before?.podCIDRs ?? []).length > 0 && !equal(spec.podCIDRs, before?.podCIDRs)
      ? [forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')]
      : []),
    ...((before?.providerID ?? '') !== '' && spec.providerID !== before?.providerID
      ? [forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid')]
      : []),
  ];
};

export const nodes = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  definition: 'io.k8s.api.core.v1.Node',
  subresources: ['status', 'proxy'],
  generationFields: [],
  columns,
  defaulted,
  validate,
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec.unschedulable ?? false) }),
});
