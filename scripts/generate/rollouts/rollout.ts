// Definitions of Rollout and its strategies, with every field of Argo Rollouts'.
import type { Definition } from '../definitions.js';
import {
  any,
  described,
  flag,
  integer,
  intOrString,
  list,
  listBy,
  map,
  record,
  text,
  time,
  topLevel,
} from '../shapes.js';
import { argo, own, selector, template } from './shared.js';

export const rollout: Readonly<Record<string, Definition>> = {
  Rollout: topLevel(
    argo('Rollout', 'Equal pods whose new version takes over step by step, under observation.'),
    { spec: own('RolloutSpec'), status: own('RolloutStatus') },
  ),
  RolloutSpec: record('What is to run, and how a new version takes over.', {
    replicas: integer('Number of pods; 1 by default.'),
    selector: described(selector, 'Which pods belong to the rollout. Cannot be changed.'),
    template: described(template, 'What pods are made from.'),
    workloadRef: described(
      own('RolloutWorkloadRef'),
      'A workload whose template is used in place of one here.',
    ),
    minReadySeconds: integer('Seconds for which a pod must be ready to count as available.'),
    strategy: described(own('RolloutStrategy'), 'How a new version takes over.'),
    revisionHistoryLimit: integer('Old ReplicaSets that are kept; 10 by default.'),
    paused: flag('Whether the rollout stands still.'),
    progressDeadlineSeconds: integer('Seconds without progress after which it has failed; 600 by default.'),
    progressDeadlineAbort: flag('Whether a missed deadline aborts.'),
    restartAt: time('Pods that are older are replaced.'),
    analysis: described(own('RolloutAnalysisHistory'), 'How many finished analysis runs are kept.'),
    rollbackWindow: described(
      own('RolloutRollbackWindow'),
      'Revisions to which steps and analysis are skipped.',
    ),
  }),
  RolloutWorkloadRef: record('A workload that holds the template.', {
    apiVersion: text('Of the workload.'),
    kind: text('Deployment, ReplicaSet, StatefulSet, DaemonSet or PodTemplate.'),
    name: text('Of the workload.'),
    scaleDown: text('never, onsuccess or progressively.'),
  }),
  RolloutAnalysisHistory: record('Finished analysis runs that are kept.', {
    successfulRunHistoryLimit: integer('Of those that succeeded; 5 by default.'),
    unsuccessfulRunHistoryLimit: integer('Of those that did not; 5 by default.'),
  }),
  RolloutRollbackWindow: record('Revisions to which steps and analysis are skipped.', {
    revisions: integer('So many revisions back.'),
  }),
  RolloutStrategy: record('Exactly one of blueGreen and canary.', {
    blueGreen: own('RolloutBlueGreen'),
    canary: own('RolloutCanary'),
  }),
  RolloutBlueGreen: record(
    'The new version is brought up whole beside the old one, then takes over at once.',
    {
      activeService: text('Service of the version that serves.'),
      previewService: text('Service of the version that is to serve.'),
      previewReplicaCount: integer('Pods of the new version before it takes over.'),
      autoPromotionEnabled: flag('Whether it takes over by itself; true by default.'),
      autoPromotionSeconds: integer('Seconds from full availability until it takes over by itself.'),
      maxUnavailable: intOrString('Pods that may be unavailable in a restart; 25% by default.'),
      scaleDownDelaySeconds: integer('Seconds until the old version goes; 30 by default.'),
      scaleDownDelayRevisionLimit: integer('Old versions that may wait for that at one time.'),
      prePromotionAnalysis: described(own('RolloutAnalysis'), 'Before it takes over.'),
      postPromotionAnalysis: described(own('RolloutAnalysis'), 'After it took over.'),
      antiAffinity: own('RolloutAntiAffinity'),
      previewMetadata: own('RolloutPodMetadata'),
      activeMetadata: own('RolloutPodMetadata'),
      abortScaleDownDelaySeconds: integer(
        'Seconds until an aborted version goes; 30 by default, 0 is never.',
      ),
    },
  ),
  RolloutAntiAffinity: record('Keeps pods of one version off nodes of another: exactly one of the two.', {
    preferredDuringSchedulingIgnoredDuringExecution: own('RolloutPreferredAntiAffinity'),
    requiredDuringSchedulingIgnoredDuringExecution: any('An empty object: pods never share a node.'),
  }),
  RolloutPreferredAntiAffinity: record('How much it matters.', { weight: integer('From 1 to 100.') }, [
    'weight',
  ]),
  RolloutPodMetadata: record('Labels and annotations that pods have while they play a part.', {
    labels: map({ type: 'string' }, 'Labels.'),
    annotations: map({ type: 'string' }, 'Annotations.'),
  }),
  RolloutCanary: record('The new version takes over part by part.', {
    canaryService: text('Service of the new version.'),
    stableService: text('Service of the old version, and of the split between both.'),
    pingPong: own('RolloutPingPong'),
    steps: list(own('RolloutCanaryStep'), 'In order.'),
    trafficRouting: described(
      own('RolloutTrafficRouting'),
      'Weights come from the service proxy, not from numbers of pods.',
    ),
    maxSurge: intOrString('Pods beyond the wanted number; 25% by default.'),
    maxUnavailable: intOrString('Pods that may be missing; 25% by default.'),
    analysis: described(own('RolloutBackgroundAnalysis'), 'Runs along with the steps.'),
    antiAffinity: own('RolloutAntiAffinity'),
    canaryMetadata: own('RolloutPodMetadata'),
    stableMetadata: own('RolloutPodMetadata'),
    scaleDownDelaySeconds: integer('Seconds until the old version goes; 30 by default.'),
    scaleDownDelayRevisionLimit: integer('Old versions that may wait for that at one time.'),
    abortScaleDownDelaySeconds: integer('Seconds until an aborted version goes; 30 by default, 0 is never.'),
    dynamicStableScale: flag('Whether the old version shrinks as its weight does.'),
    minPodsPerReplicaSet: integer('Least number of pods of a version that has any.'),
    replicaProgressThreshold: own('RolloutProgressThreshold'),
  }),
  RolloutPingPong: record('Two services that take turns as stable and canary.', {
    pingService: text('One.'),
    pongService: text('The other.'),
  }),
  RolloutProgressThreshold: record('When a step counts as scaled.', {
    type: text('Percent or Pods.'),
    value: integer('Of the wanted pods.'),
  }),
  RolloutTrafficRouting: record('What splits the traffic. Capstan does, whatever router is named.', {
    capstan: any("An empty object: the cluster's own service proxy."),
    maxTrafficWeight: integer('What all traffic is; 100 by default.'),
    managedRoutes: listBy('name', own('RolloutManagedRoute'), 'Routes that steps make.'),
    istio: any('Accepted; the cluster splits the traffic itself.'),
    nginx: any('Accepted; the cluster splits the traffic itself.'),
    alb: any('Accepted; the cluster splits the traffic itself.'),
    smi: any('Accepted; the cluster splits the traffic itself.'),
    ambassador: any('Accepted; the cluster splits the traffic itself.'),
    appMesh: any('Accepted; the cluster splits the traffic itself.'),
    traefik: any('Accepted; the cluster splits the traffic itself.'),
    apisix: any('Accepted; the cluster splits the traffic itself.'),
    plugins: any('Accepted; the cluster splits the traffic itself.'),
  }),
  RolloutManagedRoute: record('A route that steps make.', { name: text('Of the route.') }, ['name']),
  RolloutCanaryStep: record('Exactly one of its members.', {
    setWeight: integer('Part of the traffic that the new version gets.'),
    pause: own('RolloutPause'),
    setCanaryScale: own('RolloutCanaryScale'),
    analysis: own('RolloutAnalysis'),
    experiment: own('RolloutExperimentStep'),
    setHeaderRoute: own('RolloutHeaderRoute'),
    setMirrorRoute: own('RolloutMirrorRoute'),
    plugin: own('RolloutPluginStep'),
  }),
  RolloutPause: record('Waits.', {
    duration: intOrString('Seconds, or such as 5m; without end when absent.'),
  }),
  RolloutCanaryScale: record('Pods of the new version, whatever its weight.', {
    replicas: integer('So many.'),
    weight: integer('So much of the wanted number.'),
    matchTrafficWeight: flag('By its weight again.'),
  }),
  RolloutStringMatch: record('How a text must be.', {
    exact: text('This text.'),
    prefix: text('Begins so.'),
    regex: text('Fits this expression.'),
  }),
  RolloutHeaderMatch: record('A header that a request must have.', {
    headerName: text('Of the header.'),
    headerValue: own('RolloutStringMatch'),
  }),
  RolloutHeaderRoute: record('Requests with these headers reach the new version.', {
    name: text('Of the managed route.'),
    match: list(own('RolloutHeaderMatch'), 'Headers.'),
  }),
  RolloutRouteMatch: record('Requests that are mirrored.', {
    method: own('RolloutStringMatch'),
    path: own('RolloutStringMatch'),
    headers: map(own('RolloutStringMatch'), 'Headers.'),
  }),
  RolloutMirrorRoute: record('Requests that the new version gets a copy of.', {
    name: text('Of the managed route.'),
    match: list(own('RolloutRouteMatch'), 'Which.'),
    percentage: integer('How many of a hundred.'),
  }),
  RolloutPluginStep: record('A step that a plugin does.', {
    name: text('Of the plugin.'),
    config: any('For the plugin.'),
  }),
};
