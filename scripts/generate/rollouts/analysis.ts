// Definitions of AnalysisTemplate, ClusterAnalysisTemplate and AnalysisRun.
import type { Definition, Property } from '../definitions.js';
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
  ref,
  text,
  time,
  topLevel,
} from '../shapes.js';
import { argo, duration, own, selector } from './shared.js';

const templateSpec = (): Record<string, Property> => ({
  metrics: listBy('name', own('AnalysisMetric'), 'What is measured.'),
  args: listBy('name', own('AnalysisArgument'), 'Arguments of the queries.'),
  dryRun: list(own('AnalysisDryRun'), 'Metrics whose outcome does not count.'),
  measurementRetention: list(own('AnalysisRetention'), 'Measurements that are kept.'),
});

const header = own('AnalysisHeader');

export const analysis: Readonly<Record<string, Definition>> = {
  AnalysisTemplate: topLevel(argo('AnalysisTemplate', 'What is measured, and what counts as success.'), {
    spec: own('AnalysisTemplateSpec'),
  }),
  ClusterAnalysisTemplate: topLevel(
    argo('ClusterAnalysisTemplate', 'An AnalysisTemplate that every namespace may use.'),
    { spec: own('AnalysisTemplateSpec') },
  ),
  AnalysisRun: topLevel(argo('AnalysisRun', 'Measurements of one analysis, and its verdict.'), {
    spec: own('AnalysisRunSpec'),
    status: own('AnalysisRunStatus'),
  }),
  AnalysisTemplateSpec: record('What is measured.', {
    ...templateSpec(),
    templates: list(own('RolloutAnalysisTemplateRef'), 'Templates whose metrics are measured too.'),
  }),
  AnalysisRunSpec: record('What is measured, with the values of its arguments.', {
    ...templateSpec(),
    terminate: flag('Ends the run.'),
    ttlStrategy: own('AnalysisTtl'),
  }),
  AnalysisTtl: record('When a finished run is removed.', {
    secondsAfterCompletion: integer('Whatever the outcome.'),
    secondsAfterFailure: integer('After a failure.'),
    secondsAfterSuccess: integer('After a success.'),
  }),
  AnalysisArgument: record(
    'An argument of the queries.',
    { name: text('Of the argument.'), value: text('The value.'), valueFrom: own('AnalysisArgumentSource') },
    ['name'],
  ),
  AnalysisArgumentSource: record('Where a value comes from.', {
    secretKeyRef: own('AnalysisSecretKey'),
    fieldRef: own('RolloutFieldRef'),
  }),
  AnalysisSecretKey: record('A key of a Secret.', { name: text('Of the Secret.'), key: text('The key.') }),
  AnalysisMetric: record(
    'A value that is measured.',
    {
      name: text('Of the metric.'),
      interval: duration('Between measurements.'),
      initialDelay: duration('Before the first.'),
      count: intOrString('Measurements; without end when there is an interval alone.'),
      successCondition: text('Expression over result.'),
      failureCondition: text('Expression over result.'),
      failureLimit: intOrString('Failures that are borne; 0 by default, -1 is without end.'),
      inconclusiveLimit: intOrString('Measurements without verdict that are borne; 0 by default.'),
      consecutiveErrorLimit: intOrString('Errors in a row that are borne; 4 by default.'),
      consecutiveSuccessLimit: intOrString('Successes in a row that are enough; 0 is off.'),
      provider: own('AnalysisProvider'),
    },
    ['name', 'provider'],
  ),
  AnalysisProvider: record('Where the value comes from: exactly one.', {
    prometheus: own('AnalysisPrometheus'),
    web: own('AnalysisWeb'),
    job: own('AnalysisJob'),
    capstan: own('AnalysisCapstan'),
    ...Object.fromEntries(
      [
        'kayenta',
        'datadog',
        'wavefront',
        'newRelic',
        'cloudWatch',
        'graphite',
        'influxdb',
        'skywalking',
        'plugin',
      ].map((name) => [name, any('Known, and not measured here.')]),
    ),
  }),
  AnalysisHeader: record('A header of a request.', { key: text('Name.'), value: text('Value.') }, [
    'key',
    'value',
  ]),
  AnalysisAuthentication: record('How to prove who asks.', {
    oauth2: own('AnalysisOAuth2'),
    sigv4: any('Known, and not supported here.'),
  }),
  AnalysisOAuth2: record('OAuth 2 client credentials.', {
    tokenUrl: text('Where tokens are given.'),
    clientId: text('Client.'),
    clientSecret: text('Secret.'),
    scopes: list({ type: 'string' }, 'Scopes.'),
  }),
  AnalysisRange: record('A query over a time.', {
    start: text('Expression such as now() - duration("5m").'),
    end: text('Expression such as now().'),
    step: text('Such as 1m.'),
  }),
  AnalysisPrometheus: record('A query of Prometheus.', {
    address: text('URL of the server.'),
    query: text('PromQL.'),
    timeout: integer('Seconds; 30 by default.'),
    insecure: flag('Whether any certificate will do.'),
    headers: list(header, 'Headers.'),
    authentication: own('AnalysisAuthentication'),
    rangeQuery: own('AnalysisRange'),
  }),
  AnalysisWeb: record('A value out of a JSON answer.', {
    method: text('GET, POST or PUT; GET by default.'),
    url: text('URL.'),
    headers: list(header, 'Headers.'),
    body: text('Sent with POST and PUT.'),
    jsonBody: any('Sent as JSON with POST and PUT.'),
    timeoutSeconds: integer('10 by default.'),
    jsonPath: text('Such as {$.data.ok}; the whole answer when absent.'),
    insecure: flag('Whether any certificate will do.'),
    authentication: own('AnalysisAuthentication'),
  }),
  AnalysisJob: record('Success or failure of a Job.', {
    metadata: own('RolloutPodMetadata'),
    spec: ref('io.k8s.api.batch.v1.JobSpec'),
  }),
  AnalysisCapstan: record("What the cluster knows of a version's pods, as an object of counters.", {
    podTemplateHash: text('Which version: the hash of its template.'),
    selector: described(selector, 'Which pods, where they are not told by a hash.'),
  }),
  AnalysisRunStatus: record('Where the run stands.', {
    phase: text('Pending, Running, Successful, Failed, Error or Inconclusive.'),
    message: text('Why.'),
    metricResults: list(own('AnalysisMetricResult'), 'By metric.'),
    startedAt: time('When it began.'),
    completedAt: time('When it ended.'),
    runSummary: own('AnalysisSummary'),
    dryRunSummary: own('AnalysisSummary'),
  }),
  AnalysisSummary: record('Metrics by outcome.', {
    count: integer('All.'),
    successful: integer('Successful.'),
    failed: integer('Failed.'),
    inconclusive: integer('Inconclusive.'),
    error: integer('In error.'),
  }),
  AnalysisMetricResult: record('What was measured of a metric.', {
    name: text('Of the metric.'),
    phase: text('Its verdict.'),
    message: text('Why.'),
    measurements: list(own('AnalysisMeasurement'), 'The newest last.'),
    count: integer('Measurements without errors.'),
    successful: integer('Of them successful.'),
    failed: integer('Of them failed.'),
    inconclusive: integer('Of them without verdict.'),
    error: integer('Errors.'),
    consecutiveError: integer('Errors in a row.'),
    consecutiveSuccess: integer('Successes in a row.'),
    dryRun: flag('Whether its outcome does not count.'),
    metadata: map({ type: 'string' }, 'Such as the query with its values.'),
  }),
  AnalysisMeasurement: record('One measurement.', {
    phase: text('Its outcome.'),
    message: text('Why.'),
    startedAt: time('When it began.'),
    finishedAt: time('When it ended.'),
    value: text('What was measured.'),
    metadata: map({ type: 'string' }, 'Such as the name of a Job.'),
    resumeAt: time('When to look again.'),
  }),
};
