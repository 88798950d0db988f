// The library's own dependency asks for it, and it must come first.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

// The same interface under another declaration of it.
x509.cryptoProvider.set(webcrypto as unknown as ReturnType<typeof x509.cryptoProvider.get>);

/** A certificate authority of this machine's own, and a certificate of it for loopback. All PEM. */
export interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Days a certificate is good for; it starts a day early, for clocks that are behind. */
const DAYS = 30;
const DAY = 86_400_000;

/** Makes a new authority; nothing of it is trusted but by who names its file. */
export async function makeCertificates(now = Date.now()): Promise<Certificates> {
  const generate = () =>
    webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
  const [root, own] = await Promise.all([generate(), generate()]);
  const during = { notBefore: new Date(now - DAY), notAfter: new Date(now + DAYS * DAY), signingAlgorithm: ALGORITHM };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...during,
    name: 'CN=Emulated Azure (this machine only)',
    keys: root,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    ...during,
    subject: 'CN=127.0.0.1',
    issuer: authority.subject,
    publicKey: own.publicKey,
    signingKey: root.privateKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'dns', value: 'localhost' },
      ]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
  return {
    ca: authority.toString('pem'),
    cert: certificate.toString('pem'),
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  };
}
