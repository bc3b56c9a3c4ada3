// Definitions of the Gateway API's kinds (gateway.networking.k8s.io), which no npm package has: the standard channel's
// HTTP part, field by field.
import type { Definition, Property } from './definitions.js';
import { described, integer, list, listBy, map, record, ref, text, topLevel } from './shapes.js';

const group = 'gateway.networking.k8s.io';
const own = (name: string, description: string): Property =>
  described(ref(`io.k8s.gateway.v1.${name}`), description);
const all = (name: string, description: string): Property =>
  list(ref(`io.k8s.gateway.v1.${name}`), description);
const texts = (description: string): Property => list({ type: 'string' }, description);
const conditions = listBy(
  'type',
  ref('io.k8s.apimachinery.pkg.apis.meta.v1.Condition'),
  'What is true of it now, and why.',
);
const selector = (description: string): Property =>
  described(ref('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector'), description);

const objectReference = {
  group: text('API group; empty for the core group.'),
  kind: text('Kind.'),
  name: text('Name.'),
};
const backendReference = {
  ...objectReference,
  namespace: text('Namespace; that of the route when absent. Another one needs a ReferenceGrant there.'),
  port: integer('Port of the Service.'),
};
const parentReference = {
  ...objectReference,
  namespace: text('Namespace; that of the route when absent.'),
  sectionName: text('Listener of the Gateway; all of them when absent.'),
  port: integer('Port of listeners; any when absent.'),
};
const valueMatch = {
  type: text('Exact or RegularExpression.'),
  name: text('Name.'),
  value: text('Value, or a regular expression.'),
};

export const gatewayDefinitions: Readonly<Record<string, Definition>> = {
  'io.k8s.gateway.v1.GatewayClass': topLevel(
    {
      group,
      version: 'v1',
      kind: 'GatewayClass',
      description: 'A class of Gateways, and who looks after them.',
    },
    {
      spec: own('GatewayClassSpec', 'What the class is.'),
      status: own('GatewayClassStatus', 'Whether someone looks after the class.'),
    },
  ),
  'io.k8s.gateway.v1.GatewayClassSpec': record(
    'What a class of Gateways is.',
    {
      controllerName: text('Who looks after Gateways of the class, such as capstan.dev/gateway.'),
      description: text('For people.'),
      parametersRef: own('GatewayParametersReference', 'Further configuration of the controller.'),
    },
    ['controllerName'],
  ),
  'io.k8s.gateway.v1.GatewayParametersReference': record(
    'An object with configuration.',
    { ...objectReference, namespace: text('Namespace.') },
    ['group', 'kind', 'name'],
  ),
  'io.k8s.gateway.v1.GatewayClassStatus': record('Whether someone looks after the class.', { conditions }),
  'io.k8s.gateway.v1.Gateway': topLevel(
    { group, version: 'v1', kind: 'Gateway', description: 'Where traffic from outside comes in.' },
    { spec: own('GatewaySpec', 'What is wanted.'), status: own('GatewayStatus', 'What is.') },
  ),
  'io.k8s.gateway.v1.GatewaySpec': record(
    'Where traffic comes in.',
    {
      gatewayClassName: text('Name of the GatewayClass.'),
      listeners: listBy('name', ref('io.k8s.gateway.v1.GatewayListener'), 'Ports, hosts and protocols.'),
      addresses: all('GatewayAddress', 'Addresses that are asked for.'),
    },
    ['gatewayClassName', 'listeners'],
  ),
  'io.k8s.gateway.v1.GatewayAddress': record('An address.', {
    type: text('IPAddress or Hostname.'),
    value: text('The address.'),
  }),
  'io.k8s.gateway.v1.GatewayListener': record(
    'A port at which a Gateway listens.',
    {
      name: text('Name within the Gateway.'),
      hostname: text('Host, also with a wildcard as its first label; all hosts when absent.'),
      port: integer('Port.'),
      protocol: text('HTTP or HTTPS.'),
      tls: own('GatewayTLS', 'How TLS ends here.'),
      allowedRoutes: own('GatewayAllowedRoutes', 'Routes that may attach.'),
    },
    ['name', 'port', 'protocol'],
  ),
  'io.k8s.gateway.v1.GatewayTLS': record('How TLS ends.', {
    mode: text('Terminate.'),
    certificateRefs: all('GatewayCertificateReference', 'Secrets with certificates.'),
    options: map({ type: 'string' }, 'Further options.'),
  }),
  'io.k8s.gateway.v1.GatewayCertificateReference': record(
    'A Secret of type kubernetes.io/tls.',
    { ...objectReference, namespace: text('Namespace; another one needs a ReferenceGrant there.') },
    ['name'],
  ),
  'io.k8s.gateway.v1.GatewayAllowedRoutes': record('Routes that may attach to a listener.', {
    namespaces: own('GatewayRouteNamespaces', 'Namespaces of such routes; that of the Gateway when absent.'),
    kinds: all('GatewayRouteKind', 'Kinds of such routes.'),
  }),
  'io.k8s.gateway.v1.GatewayRouteNamespaces': record('Namespaces of routes.', {
    from: text('All, Selector or Same.'),
    selector: selector('Namespaces, with from: Selector.'),
  }),
  'io.k8s.gateway.v1.GatewayRouteKind': record(
    'A kind of routes.',
    { group: text('API group.'), kind: text('Kind.') },
    ['kind'],
  ),
  'io.k8s.gateway.v1.GatewayStatus': record('What a Gateway is.', {
    addresses: all('GatewayAddress', 'Where it is reached.'),
    conditions,
    listeners: listBy('name', ref('io.k8s.gateway.v1.GatewayListenerStatus'), 'Each listener.'),
  }),
  'io.k8s.gateway.v1.GatewayListenerStatus': record('What a listener is.', {
    name: text('Name of the listener.'),
    supportedKinds: all('GatewayRouteKind', 'Kinds of routes that it serves.'),
    attachedRoutes: integer('Number of routes that are attached.'),
    conditions,
  }),
  'io.k8s.gateway.v1.HTTPRoute': topLevel(
    { group, version: 'v1', kind: 'HTTPRoute', description: 'Which services answer for hosts and paths.' },
    { spec: own('HTTPRouteSpec', 'What is wanted.'), status: own('HTTPRouteStatus', 'What is.') },
  ),
  'io.k8s.gateway.v1.HTTPRouteSpec': record('Which services answer.', {
    parentRefs: all('RouteParentReference', 'Gateways that serve the route.'),
    hostnames: texts('Hosts; those of the listeners when absent.'),
    rules: all('HTTPRouteRule', 'What is sent where.'),
  }),
  'io.k8s.gateway.v1.RouteParentReference': record('A Gateway that serves a route.', parentReference, [
    'name',
  ]),
  'io.k8s.gateway.v1.HTTPRouteRule': record('What is sent where.', {
    name: text('Name within the route.'),
    matches: all('HTTPRouteMatch', 'Requests, of which one description must fit; all when absent.'),
    filters: all('HTTPRouteFilter', 'What is done with them.'),
    backendRefs: all('HTTPBackendReference', 'Services that answer, by weight.'),
    timeouts: own('HTTPRouteTimeouts', 'How long answers may take.'),
  }),
  'io.k8s.gateway.v1.HTTPRouteMatch': record('A description of requests: everything in it must fit.', {
    path: own('HTTPPathMatch', 'Path.'),
    headers: listBy('name', ref('io.k8s.gateway.v1.HTTPValueMatch'), 'Headers.'),
    queryParams: listBy('name', ref('io.k8s.gateway.v1.HTTPValueMatch'), 'Parameters of the query.'),
    method: text('Method.'),
  }),
  'io.k8s.gateway.v1.HTTPPathMatch': record('A path.', {
    type: text('Exact, PathPrefix or RegularExpression.'),
    value: text('The path.'),
  }),
  'io.k8s.gateway.v1.HTTPValueMatch': record('A header or a parameter.', valueMatch, ['name', 'value']),
  'io.k8s.gateway.v1.HTTPRouteFilter': record(
    'What is done with a request or its answer.',
    {
      type: text(
        'RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect, URLRewrite or RequestMirror.',
      ),
      requestHeaderModifier: own('HTTPHeaderFilter', 'Headers of the request.'),
      responseHeaderModifier: own('HTTPHeaderFilter', 'Headers of the answer.'),
      requestRedirect: own('HTTPRedirect', 'Sends the client elsewhere.'),
      urlRewrite: own('HTTPRewrite', 'Host and path as the service sees them.'),
      requestMirror: own('HTTPMirror', 'A second service that gets a copy.'),
    },
    ['type'],
  ),
  'io.k8s.gateway.v1.HTTPHeaderFilter': record('Changes of headers.', {
    set: listBy('name', ref('io.k8s.gateway.v1.HTTPHeader'), 'Headers that get a value.'),
    add: listBy('name', ref('io.k8s.gateway.v1.HTTPHeader'), 'Headers that get one more value.'),
    remove: texts('Headers that go.'),
  }),
  'io.k8s.gateway.v1.HTTPHeader': record('A header.', { name: text('Name.'), value: text('Value.') }, [
    'name',
    'value',
  ]),
  'io.k8s.gateway.v1.HTTPPathModifier': record(
    'Another path.',
    {
      type: text('ReplaceFullPath or ReplacePrefixMatch.'),
      replaceFullPath: text('The new path.'),
      replacePrefixMatch: text('What stands for the prefix that matched.'),
    },
    ['type'],
  ),
  'io.k8s.gateway.v1.HTTPRedirect': record('Where the client is sent.', {
    scheme: text('http or https.'),
    hostname: text('Host.'),
    path: own('HTTPPathModifier', 'Path.'),
    port: integer('Port.'),
    statusCode: integer('301, 302, 303, 307 or 308.'),
  }),
  'io.k8s.gateway.v1.HTTPRewrite': record('The request as the service sees it.', {
    hostname: text('Host.'),
    path: own('HTTPPathModifier', 'Path.'),
  }),
  'io.k8s.gateway.v1.HTTPMirror': record(
    'A second service that gets a copy of each request.',
    { backendRef: own('HTTPMirrorReference', 'The Service.') },
    ['backendRef'],
  ),
  'io.k8s.gateway.v1.HTTPMirrorReference': record('A Service.', backendReference, ['name']),
  'io.k8s.gateway.v1.HTTPBackendReference': record(
    'A Service that answers.',
    {
      ...backendReference,
      weight: integer('Share among the services of the rule; default 1.'),
      filters: all('HTTPRouteFilter', 'What is done with requests for this service only.'),
    },
    ['name'],
  ),
  'io.k8s.gateway.v1.HTTPRouteTimeouts': record('How long answers may take, such as 10s.', {
    request: text('For the whole request.'),
    backendRequest: text('For one request to a service.'),
  }),
  'io.k8s.gateway.v1.HTTPRouteStatus': record('What a route is.', {
    parents: all('RouteParentStatus', 'To each Gateway.'),
  }),
  'io.k8s.gateway.v1.RouteParentStatus': record('What a route is to a Gateway.', {
    parentRef: own('RouteParentReference', 'The Gateway.'),
    controllerName: text('Who says so.'),
    conditions,
  }),
  'io.k8s.gateway.v1beta1.ReferenceGrant': topLevel(
    {
      group,
      version: 'v1beta1',
      kind: 'ReferenceGrant',
      description: 'Lets objects of other namespaces refer to objects of this one.',
    },
    { spec: own('ReferenceGrantSpec', 'Who may refer to what.') },
  ),
  'io.k8s.gateway.v1.ReferenceGrantSpec': record(
    'Who may refer to what.',
    {
      from: all('ReferenceGrantFrom', 'Objects that may refer.'),
      to: all('ReferenceGrantTo', 'Objects of this namespace that may be referred to.'),
    },
    ['from', 'to'],
  ),
  'io.k8s.gateway.v1.ReferenceGrantFrom': record(
    'Objects that may refer.',
    { group: text('API group.'), kind: text('Kind.'), namespace: text('Namespace.') },
    ['kind', 'namespace'],
  ),
  'io.k8s.gateway.v1.ReferenceGrantTo': record(
    'Objects that may be referred to.',
    { group: text('API group.'), kind: text('Kind.'), name: text('Name; all of the kind when absent.') },
    ['kind'],
  ),
};
