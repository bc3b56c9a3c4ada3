// What a machine that joins says of itself beside its request, so that one name is not given to two machines.
import type { CertificateSigningRequest, Node } from './generated/types.js';

export const machineAnnotations = {
  machineID: 'capstan.dev/machine-id',
  address: 'capstan.dev/address',
} as const;

export interface MachineClaim {
  readonly machineID: string;
  readonly address: string;
}

export const machineOf = ({ metadata }: CertificateSigningRequest): MachineClaim => ({
  machineID: metadata.annotations?.[machineAnnotations.machineID] ?? '',
  address: metadata.annotations?.[machineAnnotations.address] ?? '',
});

/** Copies of a machine's disk share its id: the address counts too. */
export const sameMachine = ({ machineID, address }: MachineClaim, { status }: Node): boolean =>
  machineID !== '' &&
  machineID === status?.nodeInfo?.machineID &&
  (status.addresses ?? []).some((one) => one.type === 'InternalIP' && one.address === address);
