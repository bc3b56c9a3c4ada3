// Which node answers for the address of a load balancer on the network, as an annotation of the Service.
import type { Service } from './generated/types.js';

/** Name of the node; set by the load-balancer controller, together with the address in the status. */
export const announcedByAnnotation = 'capstan.dev/announced-by';

/** Addresses for which the node answers. */
export const announcedAddresses = (
  { metadata, spec, status }: Service,
  nodeName: string,
): readonly string[] =>
  spec.type !== 'LoadBalancer' || metadata.annotations?.[announcedByAnnotation] !== nodeName
    ? []
    : (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
