/** The one way to addresses that a spec names: probes, metrics by HTTP, webhooks. */
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import { Agent, buildConnector, fetch, type RequestInit, type Response } from 'undici';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { allowedAddresses, refusedKind } from './addresses.js';

export type { Response } from 'undici';

export interface Net {
  /**
   * As fetch, but follows no redirect: the caller knows what may travel on. Connections are kept and used again. Errors:
   * SLUICE_ADDRESS for an address that may not be reached; what fetch rejects with.
   */
  fetch(url: string, init: Omit<RequestInit, 'redirect' | 'dispatcher'>): Promise<Response>;
  /** Whether a URL's host may be reached, as far as that is known before the connection. Errors: SLUICE_ADDRESS. */
  check(url: string): Promise<void>;
}

type Found = (error: Error | null, addresses: LookupAddress[]) => void;

/** How names become addresses; another one than the machine's, for tests. */
export type Lookup = (host: string, options: LookupOptions & { all: true }, found: Found) => void;

/**
 * `allow`: addresses that may be reached although they are loopback, link-local or metadata (`SLUICE_ALLOW_ADDRESSES`). A
 * resolved name is checked in the connection's own look-up, so that it cannot change in between. Errors: SLUICE_SETUP for a
 * malformed `allow`.
 */
export function createNet(allow: string, lookup: Lookup = systemLookup): Net {
  const allowed = allowedAddresses(allow);
  const refuse = (host: string, found: Pick<LookupAddress, 'address'>[]): SluiceError | null => {
    for (const { address } of found) {
      const kind = refusedKind(address, allowed);
      if (kind !== null) return refusal(host, address, kind);
    }
    return null;
  };
  const guarded = (host: string, options: LookupOptions, done: (...found: never[]) => void) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      const answer = done as unknown as (error: Error | null, address?: unknown, family?: number) => void;
      const why = error ?? refuse(host, addresses);
      if (why !== null) return answer(why);
      if (options.all) return answer(null, addresses);
      answer(null, addresses[0]?.address, addresses[0]?.family);
    });
  };
  const connect = buildConnector({ lookup: guarded });
  const dispatcher = new Agent({
    connect: (options, done) => {
      // A literal address is never looked up.
      const host = bare(options.hostname);
      const why = isIP(host) === 0 ? null : refuse(host, [{ address: host }]);
      if (why === null) connect(options, done);
      else done(why, null);
    },
  });
  return {
    fetch: async (url, init) => {
      try {
        return await fetch(url, { ...init, redirect: 'manual', dispatcher });
      } catch (error) {
        throw ours(error) ?? error;
      }
    },
    check: (url) =>
      new Promise((resolve, reject) => {
        const host = bare(new URL(url).hostname);
        const settle = (why: Error | null) => (why === null ? resolve() : reject(why));
        if (isIP(host) !== 0) return settle(refuse(host, [{ address: host }]));
        // A name that is not known now may be known when it is used.
        lookup(host, { all: true }, (error, addresses) => settle(error === null ? refuse(host, addresses) : null));
      }),
  };
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function refusal(host: string, address: string, kind: string): SluiceError {
  const named = host === address ? address : `${clean(host, 253)} is ${address}, which`;
  return new SluiceError(
    'SLUICE_ADDRESS',
    `${named} is ${kind}, which a spec may not reach. Use another host, or allow it on the worker with SLUICE_ALLOW_ADDRESSES`,
  );
}

/** Our own error within those that fetch wraps around it. */
function ours(error: unknown): SluiceError | null {
  for (let one = error; typeof one === 'object' && one !== null; one = (one as { cause?: unknown }).cause) {
    if (one instanceof SluiceError) return one;
  }
  return null;
}
