// How proxies and agents agree on the end of an endpoint, as annotations.

/**
 * On the Lease of whoever sends traffic to endpoints: the newest revision of EndpointSlices up to which it follows them.
 * A service proxy has it on its node's Lease. A Lease that is not renewed in its time counts for nobody.
 */
export const proxyRevisionAnnotation = 'capstan.dev/proxy-revision';

/** On a pod that is being deleted: when every proxy had confirmed that it sends nothing there any more (RFC 3339). */
export const confirmedAnnotation = 'capstan.dev/proxies-confirmed';
