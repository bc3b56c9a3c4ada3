// Where a webhook is: at a URL, or behind a Service of the cluster.
import { Buffer } from 'node:buffer';
import type { EndpointSlice, Service } from '../../resources/generated/types.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { services } from '../../resources/kinds/services.js';
import type { AdmissionReads } from '../admission/admission.js';
import type { WebhookCall } from './webhook-transport.js';

/** Of an admission webhook or a conversion. */
export interface ClientConfig {
  readonly url?: string | undefined;
  readonly caBundle?: string | undefined;
  readonly service?:
    | {
        readonly name: string;
        readonly namespace: string;
        readonly path?: string | undefined;
        readonly port?: number | undefined;
      }
    | undefined;
}

export type WebhookTarget = Omit<WebhookCall, 'body'>;

interface Address {
  readonly host: string;
  readonly port: number;
}

const isReady = ({ conditions }: EndpointSlice['endpoints'][number]): boolean => conditions?.ready !== false;

/** Straight to a pod that is ready: the API server need not stand where cluster addresses are carried. */
const readyAddresses = (reads: AdmissionReads, service: Service, port: number): readonly Address[] => {
  const { name, namespace } = service.metadata;
  const wanted = (service.spec.ports ?? []).find((one) => one.port === port);
  if (wanted === undefined) return [];
  return reads
    .list(endpointslices, namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(({ endpoints, ports = [] }) => {
      const found = ports.find((one) => (one.name ?? '') === (wanted.name ?? ''))?.port;
      if (found === undefined) return [];
      return endpoints
        .filter(isReady)
        .flatMap(({ addresses }) => addresses.map((host) => ({ host, port: found })));
    });
};

const ofService = (
  reads: AdmissionReads,
  { name, namespace, path = '', port = 443 }: NonNullable<ClientConfig['service']>,
  random: number,
): WebhookTarget => {
  const host = `${name}.${namespace}.svc`;
  const url = `https://${host}:${String(port)}${path === '' ? '/' : path}`;
  const service = reads.get(services, { name, namespace });
  if (service === undefined)
    throw new Error(`Post ${JSON.stringify(url)}: service ${JSON.stringify(name)} not found`);
  if (service.spec.type === 'ExternalName')
    return { url, address: { host: service.spec.externalName ?? '', port }, serverName: host };
  const addresses = readyAddresses(reads, service, port);
  const address = addresses[Math.floor(random * addresses.length)];
  if (address === undefined)
    throw new Error(
      `Post ${JSON.stringify(url)}: no endpoints available for service ${JSON.stringify(name)}`,
    );
  return { url, address, serverName: host };
};

/** `random` is in [0, 1). Throws for a Service without a pod that is ready. */
export const webhookTarget = (reads: AdmissionReads, config: ClientConfig, random: number): WebhookTarget => {
  const ca =
    config.caBundle === undefined || config.caBundle === ''
      ? undefined
      : Buffer.from(config.caBundle, 'base64').toString('utf8');
  const target =
    config.service === undefined ? { url: config.url ?? '' } : ofService(reads, config.service, random);
  return { ...target, ca };
};
