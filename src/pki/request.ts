// Certificate signing requests (PKCS #10, RFC 2986): made for this machine, and read from others.
import { createPublicKey, sign, verify } from 'node:crypto';
import { ClusterError, messageOf } from '../base/errors.js';
import { canonicalAddress, generateKey, type Subject } from './certificate.js';
import * as der from './der.js';

export interface RequestFacts extends Subject {
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  /** E-mail addresses, URIs and names of other types that are asked for. */
  readonly otherNames: readonly string[];
  /** PEM of the key that signed the request. */
  readonly publicKey: string;
}

export interface RequestOptions {
  readonly subject: Subject;
  readonly dnsNames?: readonly string[];
  /** IPv4. */
  readonly addresses?: readonly string[];
}

const oids = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  extensionRequest: '1.2.840.113549.1.9.14',
  alternativeNames: '2.5.29.17',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

interface Algorithm {
  /** As node:crypto names it; null where the algorithm says it itself. */
  readonly hash: string | null;
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
}

const algorithms: Readonly<Record<string, Algorithm>> = {
  [oids.sha256WithRsa]: { hash: 'sha256', keyType: 'rsa' },
  '1.2.840.113549.1.1.12': { hash: 'sha384', keyType: 'rsa' },
  '1.2.840.113549.1.1.13': { hash: 'sha512', keyType: 'rsa' },
  '1.2.840.10045.4.3.2': { hash: 'sha256', keyType: 'ec' },
  '1.2.840.10045.4.3.3': { hash: 'sha384', keyType: 'ec' },
  '1.2.840.10045.4.3.4': { hash: 'sha512', keyType: 'ec' },
  '1.3.101.112': { hash: null, keyType: 'ed25519' },
};

/** The algorithm, in the one form that RFC 4055, 5758 and 8410 give it: RSA's has NULL for parameters, the others none. */
const readAlgorithm = (node: der.Node | undefined): Algorithm => {
  const id = der.oidOf(der.within(node, der.types.SEQUENCE)[0]);
  const found = algorithms[id];
  if (node === undefined || found === undefined)
    throw new Error('it is signed with an algorithm that is not accepted');
  const only = der.sequence(der.oid(id), ...(found.keyType === 'rsa' ? [der.nothing()] : []));
  if (!der.toDer(node).equals(der.toDer(only)))
    throw new Error('its signature algorithm has parameters that do not belong there');
  return found;
};

/** Context tags of a GeneralName. */
const names = { email: 1, dns: 2, uri: 6, address: 7 } as const;

const nameNode = ({ commonName, organizations }: Subject): der.Node =>
  der.sequence(
    ...organizations.map((value) => der.set(der.sequence(der.oid(oids.organization), der.utf8(value)))),
    der.set(der.sequence(der.oid(oids.commonName), der.utf8(commonName))),
  );

const addressBytes = (address: string): Buffer => {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4) throw new ClusterError('BadRequest', `${address} is no IPv4 address`);
  return Buffer.from(parts);
};

const attributes = ({ dnsNames = [], addresses = [] }: RequestOptions): der.Node[] => {
  const general = [
    ...dnsNames.map((name) => der.context(names.dns, Buffer.from(name, 'ascii'))),
    ...addresses.map((address) => der.context(names.address, addressBytes(address))),
  ];
  if (general.length === 0) return [];
  const extension = der.sequence(
    der.oid(oids.alternativeNames),
    der.octets(der.toDer(der.sequence(...general))),
  );
  return [der.sequence(der.oid(oids.extensionRequest), der.set(der.sequence(extension)))];
};

const pem = (label: string, bytes: Uint8Array): string => {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
};

const requestLabel = 'CERTIFICATE REQUEST';

/** A new key, and the request for its certificate. Both PEM. */
export const createRequest = (
  options: RequestOptions,
): { readonly request: string; readonly key: string } => {
  const { publicKey, privateKey } = generateKey();
  const spki = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  const info = der.sequence(
    der.integer(0),
    nameNode(options.subject),
    der.parseDer(spki),
    der.context(0, attributes(options)),
  );
  const signature = sign('sha256', der.toDer(info), privateKey);
  const request = der.sequence(
    info,
    der.sequence(der.oid(oids.sha256WithRsa), der.nothing()),
    der.bits(signature),
  );
  return { request: pem(requestLabel, der.toDer(request)), key: privateKey };
};

const readName = (node: der.Node | undefined): Subject => {
  const found: [type: string, text: string][] = [];
  for (const relative of der.within(node, der.types.SEQUENCE))
    for (const attribute of der.within(relative, der.types.SET)) {
      const [type, value] = der.within(attribute, der.types.SEQUENCE);
      const id = der.oidOf(type);
      if (id === oids.commonName || id === oids.organization) found.push([id, der.textOf(value)]);
    }
  const of = (wanted: string): string[] => found.flatMap(([id, text]) => (id === wanted ? [text] : []));
  const commonNames = of(oids.commonName);
  if (commonNames.length > 1) throw new Error('the subject has more than one common name');
  return { commonName: commonNames[0] ?? '', organizations: of(oids.organization) };
};

const readAddress = (bytes: Buffer): string => {
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.length !== 16) throw new Error('an IP address has 4 or 16 octets');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return canonicalAddress(groups.join(':'));
};

type Names = Pick<RequestFacts, 'dnsNames' | 'addresses' | 'otherNames'>;

const readNames = (extension: Buffer): Names => {
  const dnsNames: string[] = [];
  const addresses: string[] = [];
  const otherNames: string[] = [];
  for (const name of der.within(der.parseDer(extension), der.types.SEQUENCE)) {
    if (der.isContext(name, names.dns)) dnsNames.push(der.bytesOf(name).toString('latin1'));
    else if (der.isContext(name, names.address)) addresses.push(readAddress(der.bytesOf(name)));
    else if (der.isContext(name, names.email) || der.isContext(name, names.uri))
      otherNames.push(der.bytesOf(name).toString('latin1'));
    else otherNames.push(`a name of type ${String(name.type)}`);
  }
  return { dnsNames, addresses, otherNames };
};

const readAttributes = (node: der.Node | undefined): Names => {
  const none: Names = { dnsNames: [], addresses: [], otherNames: [] };
  if (node === undefined) return none;
  if (!der.isContext(node, 0)) throw new Error('the attributes are not where they must be');
  const extensions = der.childrenOf(node).flatMap((attribute) => {
    const [type, values] = der.within(attribute, der.types.SEQUENCE);
    return der.oidOf(type) === oids.extensionRequest
      ? der.within(values, der.types.SET).flatMap((list) => der.within(list, der.types.SEQUENCE))
      : [];
  });
  const wanted = extensions.flatMap((extension) => {
    const parts = der.within(extension, der.types.SEQUENCE);
    return der.oidOf(parts[0]) === oids.alternativeNames ? [der.bytesOf(parts.at(-1))] : [];
  });
  if (wanted.length > 1) throw new Error('it lists alternative names twice');
  return wanted[0] === undefined ? none : readNames(wanted[0]);
};

/** Far more than any key and list of names needs. */
const largest = 64 * 1024;

const readPem = (text: string): Buffer => {
  if (text.length > largest) throw new Error('it is too long');
  const body =
    /^\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\sA-Za-z0-9+/=]*)-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/.exec(
      text,
    )?.[1];
  if (body === undefined) throw new Error('it is not one PEM block of type CERTIFICATE REQUEST');
  return Buffer.from(body, 'base64');
};

const read = (text: string): RequestFacts => {
  const [info, algorithm, signature, ...more] = der.within(der.parseDer(readPem(text)), der.types.SEQUENCE);
  const [, subject, spki, attributes, ...rest] = der.within(info, der.types.SEQUENCE);
  if (info === undefined || spki === undefined) throw new Error('it is not whole');
  if (more.length + rest.length > 0) throw new Error('it has parts that do not belong there');
  const { hash, keyType } = readAlgorithm(algorithm);
  const key = createPublicKey({ key: der.toDer(spki), type: 'spki', format: 'der' });
  if (key.asymmetricKeyType !== keyType) throw new Error('its key is not one of its signature algorithm');
  if (!verify(hash, der.toDer(info), key, der.bitsOf(signature)))
    throw new Error('it is not signed with the key that it names');
  return {
    ...readName(subject),
    ...readAttributes(attributes),
    publicKey: key.export({ type: 'spki', format: 'pem' }).toString(),
  };
};

/** Throws BadRequest, with the reason, for what is no request, or is not signed with its own key. */
export const parseRequest = (text: string): RequestFacts => {
  try {
    return read(text);
  } catch (error) {
    throw new ClusterError('BadRequest', `this is no certificate signing request: ${messageOf(error)}`, {
      cause: error,
    });
  }
};
