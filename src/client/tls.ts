/** Why a TLS connection to a server fails: gRPC does not say, but a handshake does. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions } from '@temporalio/client';
import { clean } from '../model/text.js';

type Tls = Exclude<ConnectionOptions['tls'], boolean | null | undefined>;

/** What a failed handshake says. */
interface Trouble {
  code: string;
  message: string;
  /** The handshake was over on this side: the server then ended the connection. */
  after: boolean;
}

const ADDRESS = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:/]+))(?::(?<port>\d+))?$/;
/** How a client of HTTP/2 begins: its preface, and a frame of no settings. */
const HTTP2 = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

const UNTRUSTED = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** What is wrong and what to do about it. Null: nothing that a handshake shows; a server that is not there is no trouble of TLS. */
export async function tlsTrouble(
  address: string,
  tls: ConnectionOptions['tls'],
  within: number,
): Promise<string | null> {
  if (tls == null || tls === false) {
    const speaks = (await handshake(address, {}, within, false)) === null;
    return speaks ? 'the server requires TLS; set TEMPORAL_TLS=true, or the certificates it needs' : null;
  }
  const options = tls === true ? {} : tls;
  const trouble = await handshake(address, options, within, true);
  return trouble === null ? null : worded(trouble, options);
}

/**
 * Null if it succeeds. The server's first bytes are the proof: under TLS 1.3 it checks a client's certificate after the
 * handshake.
 */
function handshake(address: string, tls: Tls, within: number, verify: boolean): Promise<Trouble | null> {
  const found = ADDRESS.exec(address)?.groups as { six?: string; host?: string; port?: string } | undefined;
  const host = found?.six ?? found?.host;
  // Another form of gRPC's, which is its to resolve.
  if (host === undefined) return Promise.resolve({ code: '', message: 'not checked', after: false });
  const name = tls.serverNameOverride ?? host;
  return new Promise((resolve) => {
    let after = false;
    const socket = connect({
      host,
      port: Number(found?.port ?? 7233),
      ALPNProtocols: ['h2'],
      rejectUnauthorized: verify,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(tls.serverRootCACertificate === undefined ? {} : { ca: Buffer.from(tls.serverRootCACertificate) }),
      ...(tls.clientCertPair === undefined
        ? {}
        : { cert: Buffer.from(tls.clientCertPair.crt), key: Buffer.from(tls.clientCertPair.key) }),
    });
    const settle = (trouble: Trouble | null) => {
      resolve(trouble);
      socket.destroy();
    };
    socket.once('secureConnect', () => {
      after = true;
      if (!verify) settle(null);
      // Some servers wait for the client's words before theirs.
      else socket.write(HTTP2);
    });
    socket.once('data', () => settle(null));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle({ code: error.code ?? '', message: error.message, after }),
    );
    socket.once('close', () => settle({ code: 'CLOSED', message: 'it closed the connection', after }));
    socket.setTimeout(within, () => settle({ code: 'LATE', message: 'no answer in time', after: false }));
  });
}

function worded({ code, message: said, after }: Trouble, { clientCertPair, serverNameOverride }: Tls): string | null {
  // OpenSSL names its own source files too.
  const message = /:([^:]*\balert\b[^:]*):/.exec(said)?.[1] ?? said;
  if (code === 'CERT_HAS_EXPIRED') return "its certificate has expired, or this machine's clock is wrong";
  if (code === 'CERT_NOT_YET_VALID') return "its certificate is not valid yet, or this machine's clock is wrong";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const why = message.replace(/^.*does not match certificate's altnames: /, '');
    const asked =
      serverNameOverride === undefined
        ? 'the name in TEMPORAL_ADDRESS'
        : `TEMPORAL_TLS_SERVER_NAME "${clean(serverNameOverride)}"`;
    return `its certificate is not for ${asked} (${clean(why)}); set TEMPORAL_TLS_SERVER_NAME to a name in the certificate`;
  }
  if (UNTRUSTED.has(code)) {
    return "its certificate is not signed by an authority that this machine trusts; set TEMPORAL_TLS_SERVER_CA_CERT_PATH to that authority's certificate";
  }
  if (/wrong version number|packet length too long/i.test(message)) {
    return 'the server does not use TLS; unset TEMPORAL_TLS and TEMPORAL_TLS_*';
  }
  if (!after && !/alert/i.test(`${code} ${message}`)) return null;
  if (clientCertPair === undefined) {
    const asks = /certificate/i.test(message) ? 'it requires a client certificate' : 'it rejects the connection';
    return `${asks} (${clean(message)}); set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, both`;
  }
  return `it rejects this client's certificate${ended(clientCertPair.crt)} (${clean(message)}); set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH to one that the server trusts`;
}

/** That a certificate is past its end, where it is. */
function ended(pem: Uint8Array): string {
  try {
    const { validTo } = new X509Certificate(pem);
    return new Date(validTo).getTime() < Date.now()
      ? `, which ended on ${new Date(validTo).toISOString().slice(0, 10)}`
      : '';
  } catch {
    return '';
  }
}
