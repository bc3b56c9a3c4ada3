// Defaults of a pod's spec and of the templates that pods are made from.
import { mapped, withChanges, withDefaults } from '../defaults.js';
import type { PodSpec, PodTemplateSpec } from '../generated/types.js';
import { defaultedContainer, withRequestsFromLimits } from './default-container.js';
import { defaultedVolume } from './default-volume.js';

/** What pods and templates share. */
export const defaultedPodSpec = (spec: PodSpec): PodSpec => {
  const hostNetwork = spec.hostNetwork === true;
  const account = spec.serviceAccountName || spec.serviceAccount;
  const filled = withDefaults(spec, {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  return withChanges(filled, {
    containers: mapped(spec.containers, (container) => defaultedContainer(container, hostNetwork)),
    initContainers: mapped(spec.initContainers, (container) => defaultedContainer(container, hostNetwork)),
    ephemeralContainers: mapped(spec.ephemeralContainers, (container) =>
      defaultedContainer(container, hostNetwork),
    ),
    volumes: mapped(spec.volumes, defaultedVolume),
    // The old name of the field follows the new one, as Kubernetes' conversion does.
    ...(account === undefined || account === ''
      ? {}
      : { serviceAccountName: account, serviceAccount: account }),
  });
};

export const defaultedTemplate = (template: PodTemplateSpec): PodTemplateSpec =>
  withChanges(template, { spec: template.spec && defaultedPodSpec(template.spec) });

/** What only a pod itself gets. */
export const defaultedPodOnly = (spec: PodSpec): PodSpec => {
  const filled = defaultedPodSpec(withDefaults(spec, { enableServiceLinks: true }));
  return withChanges(filled, {
    containers: mapped(filled.containers, withRequestsFromLimits),
    initContainers: mapped(filled.initContainers, withRequestsFromLimits),
  });
};
