// Certificates for tests of TLS, made by openssl: an authority, what it signs, and a stranger's of the same name.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly ca: string;
  readonly server: KeyPair;
  /** CN admin, O system:masters and O people. */
  readonly admin: KeyPair;
  /** CN system:node:n1, for serving and for asking, without an address in it. */
  readonly node: KeyPair;
  /** The same names as admin's, signed by an authority that only pretends to be ours. */
  readonly stranger: KeyPair;
  readonly expired: KeyPair;
}

class Workshop {
  readonly #directory = mkdtempSync(join(tmpdir(), 'certificates-'));

  path(name: string): string {
    return join(this.#directory, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#directory, stdio: 'pipe' });
  }

  authority(name: string): void {
    this.openssl('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', `${name}.key`);
    this.openssl(
      'req',
      '-x509',
      '-new',
      '-key',
      `${name}.key`,
      '-subj',
      '/CN=test-ca',
      '-days',
      '30',
      '-out',
      `${name}.crt`,
    );
  }

  signed(name: string, by: string, [subject, extensions]: readonly [string, string], days = '30'): KeyPair {
    this.openssl('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', `${name}.key`);
    this.openssl('req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
    writeFileSync(this.path(`${name}.ext`), extensions);
    this.openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial'],
      ...['-days', days, '-extfile', `${name}.ext`, '-out', `${name}.crt`],
    );
    return { cert: this.read(`${name}.crt`), key: this.read(`${name}.key`) };
  }

  close(): void {
    rmSync(this.#directory, { recursive: true });
  }
}

const client = 'extendedKeyUsage=clientAuth';
const admin = ['/O=system:masters/O=people/CN=admin', client] as const;

export const makeCertificates = (): Certificates => {
  const workshop = new Workshop();
  try {
    workshop.authority('ca');
    workshop.authority('foreign');
    return {
      ca: workshop.read('ca.crt'),
      server: workshop.signed('server', 'ca', [
        '/CN=server',
        'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:hook.default.svc',
      ]),
      admin: workshop.signed('admin', 'ca', admin),
      node: workshop.signed('node', 'ca', [
        '/O=system:nodes/CN=system:node:n1',
        'extendedKeyUsage=clientAuth,serverAuth',
      ]),
      stranger: workshop.signed('stranger', 'foreign', admin),
      expired: workshop.signed('expired', 'ca', admin, '-1'),
    };
  } finally {
    workshop.close();
  }
};
