/** Certificate authorities of a test's own, and certificates of them for loopback. All PEM. */
// The library's own dependency asks for it, and it must come first.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

// The same interface under another declaration of it.
x509.cryptoProvider.set(webcrypto as unknown as ReturnType<typeof x509.cryptoProvider.get>);

export interface Issued {
  cert: string;
  key: string;
}

export interface Wanted {
  name: string;
  /** Names and addresses a server has; none for a client. */
  hosts?: string[];
  /** Days from now; a negative one has passed. */
  ends?: number;
}

export interface Authority {
  ca: string;
  issue(wanted: Wanted): Promise<Issued>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY = 86_400_000;

function generate(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function during(ends: number) {
  const now = Date.now();
  return {
    notBefore: new Date(now - 30 * DAY),
    notAfter: new Date(now + ends * DAY),
    signingAlgorithm: ALGORITHM,
  };
}

export async function makeAuthority(name: string): Promise<Authority> {
  const keys = await generate();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...during(30),
    name: `CN=${name}`,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    ca: root.toString('pem'),
    issue: async ({ name, hosts = [], ends = 30 }) => {
      const own = await generate();
      const certificate = await x509.X509CertificateGenerator.create({
        ...during(ends),
        subject: `CN=${name}`,
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          ...(hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hosts.map(hostName))]),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        ],
      });
      const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
      return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
    },
  };
}

function hostName(host: string): x509.JsonGeneralName {
  return { type: /^[\d.]+$/.test(host) ? 'ip' : 'dns', value: host };
}
