// Settings of the proxy for Ingresses and Gateways.
import { ClusterError } from '../base/errors.js';

export interface IngressSettings {
  /** 0: none. */
  readonly ingressHttpPort: number;
  readonly ingressHttpsPort: number;
}

const port =
  (flag: string) =>
  (value: string): number => {
    const parsed = Number(value);
    if (!Number.isInteger(parsed) || parsed < 0 || parsed > 65_535)
      throw new ClusterError('BadRequest', `--${flag}: ${value} is not a whole number from 0 to 65535`);
    return parsed;
  };

export const ingressSettings = [
  {
    key: 'ingressHttpPort',
    flag: 'ingress-http-port',
    placeholder: 'PORT',
    description: 'port of this node for Ingresses and Gateways; 0 turns it off',
    fallback: 80,
    parse: port('ingress-http-port'),
  },
  {
    key: 'ingressHttpsPort',
    flag: 'ingress-https-port',
    placeholder: 'PORT',
    description: 'the same with TLS',
    fallback: 443,
    parse: port('ingress-https-port'),
  },
] as const;
