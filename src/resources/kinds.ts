// Every kind that is built in: a new one is a file in kinds/ and a line here.
import type { Kind } from './kind.js';
import { analysisruns } from './kinds/analysisruns.js';
import { analysistemplates, clusteranalysistemplates } from './kinds/analysistemplates.js';
import { applications } from './kinds/applications.js';
import { configmaps } from './kinds/configmaps.js';
import { controllerrevisions } from './kinds/controllerrevisions.js';
import { cronjobs } from './kinds/cronjobs.js';
import { csidrivers } from './kinds/csidrivers.js';
import { csinodes } from './kinds/csinodes.js';
import { csistoragecapacities } from './kinds/csistoragecapacities.js';
import { customresourcedefinitions } from './kinds/customresourcedefinitions.js';
import { daemonsets } from './kinds/daemonsets.js';
import { deployments } from './kinds/deployments.js';
import { endpoints } from './kinds/endpoints.js';
import { endpointslices } from './kinds/endpointslices.js';
import { eventsV1 } from './kinds/events-v1.js';
import { events } from './kinds/events.js';
import { horizontalpodautoscalersV1 } from './kinds/horizontalpodautoscalers-v1.js';
import { horizontalpodautoscalers } from './kinds/horizontalpodautoscalers.js';
import { ingressclasses } from './kinds/ingressclasses.js';
import { ingresses } from './kinds/ingresses.js';
import { experiments } from './kinds/experiments.js';
import { jobs } from './kinds/jobs.js';
import { leases } from './kinds/leases.js';
import { mutatingwebhookconfigurations } from './kinds/mutatingwebhookconfigurations.js';
import { namespaces } from './kinds/namespaces.js';
import { networkpolicies } from './kinds/networkpolicies.js';
import { gatewayclasses } from './kinds/gatewayclasses.js';
import { gateways } from './kinds/gateways.js';
import { httproutes } from './kinds/httproutes.js';
import { referencegrants } from './kinds/referencegrants.js';
import { nodes } from './kinds/nodes.js';
import { poddisruptionbudgets } from './kinds/poddisruptionbudgets.js';
import { persistentvolumeclaims } from './kinds/persistentvolumeclaims.js';
import { persistentvolumes } from './kinds/persistentvolumes.js';
import { pods } from './kinds/pods.js';
import { releases } from './kinds/releases.js';
import { podtemplates } from './kinds/podtemplates.js';
import { replicasets } from './kinds/replicasets.js';
import { replicationcontrollers } from './kinds/replicationcontrollers.js';
import { repositories } from './kinds/repositories.js';
import { rollouts } from './kinds/rollouts.js';
import { runtimeclasses } from './kinds/runtimeclasses.js';
import { secrets } from './kinds/secrets.js';
import { serviceaccounts } from './kinds/serviceaccounts.js';
import { services } from './kinds/services.js';
import { statefulsets } from './kinds/statefulsets.js';
import { storageclasses } from './kinds/storageclasses.js';
import { volumeattachments } from './kinds/volumeattachments.js';
import { certificatesigningrequests } from './kinds/certificatesigningrequests.js';
import { validatingwebhookconfigurations } from './kinds/validatingwebhookconfigurations.js';
import { clusterrolebindings } from './kinds/clusterrolebindings.js';
import { clusterroles } from './kinds/clusterroles.js';
import { limitranges } from './kinds/limitranges.js';
import { priorityclasses } from './kinds/priorityclasses.js';
import { resourcequotas } from './kinds/resourcequotas.js';
import { rolebindings } from './kinds/rolebindings.js';
import { roles } from './kinds/roles.js';

export const kinds: readonly Kind[] = [
  namespaces,
  nodes,
  pods,
  events,
  eventsV1,
  configmaps,
  secrets,
  services,
  endpoints,
  serviceaccounts,
  persistentvolumes,
  persistentvolumeclaims,
  replicationcontrollers,
  podtemplates,
  endpointslices,
  leases,
  deployments,
  replicasets,
  controllerrevisions,
  statefulsets,
  daemonsets,
  jobs,
  cronjobs,
  horizontalpodautoscalers,
  horizontalpodautoscalersV1,
  poddisruptionbudgets,
  ingresses,
  ingressclasses,
  networkpolicies,
  gatewayclasses,
  gateways,
  httproutes,
  referencegrants,
  roles,
  rolebindings,
  clusterroles,
  clusterrolebindings,
  certificatesigningrequests,
  priorityclasses,
  resourcequotas,
  limitranges,
  storageclasses,
  rollouts,
  analysistemplates,
  clusteranalysistemplates,
  analysisruns,
  experiments,
  releases,
  csidrivers,
  csinodes,
  csistoragecapacities,
  volumeattachments,
  runtimeclasses,
  customresourcedefinitions,
  mutatingwebhookconfigurations,
  validatingwebhookconfigurations,
  applications,
  repositories,
];
