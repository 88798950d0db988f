/** Where the browser comes back to after a login: one page on loopback, for one answer. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SluiceError } from '../model/errors.js';
import { duration } from '../model/text.js';

const PATH = '/callback';

/** What the provider answered through the browser, which waits to hear how it went. */
export interface Callback {
  query: URLSearchParams;
  /** Shows how it went: null, or why not. */
  answer(why: string | null): Promise<void>;
}

/** Waits on a free port of 127.0.0.1 for the answer with this `state`; others get a page that says so and change nothing. */
export async function listen(state: string) {
  let heard: (back: Callback) => void = () => undefined;
  const came = new Promise<Callback>((resolve) => {
    heard = resolve;
  });
  let answered = false;
  const server = createServer((request, response) => {
    const url = addressOf(request.url);
    if (url === null) return void show(response, 400, 'Not a valid address.');
    if (request.method !== 'GET' || url.pathname !== PATH) return void show(response, 404, 'Not found.');
    if (answered || url.searchParams.get('state') !== state) {
      return void show(response, 400, 'This page belongs to another login. Start again from the terminal.');
    }
    answered = true;
    heard({
      query: url.searchParams,
      answer: (why) =>
        why === null
          ? show(response, 200, 'You are logged in. Close this page and go back to the terminal.')
          : show(response, 400, `${why}. Go back to the terminal.`),
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`,

    /** The first answer. Errors: SLUICE_ACCESS when nobody logged in within `patience` ms, or the waiting was ended. */
    callback: async (patience: number, signal?: AbortSignal): Promise<Callback> => {
      const timeout = AbortSignal.timeout(patience);
      const ends = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
      const over = new Promise<never>((_, reject) => {
        const end = () =>
          reject(
            new SluiceError(
              'SLUICE_ACCESS',
              timeout.aborted ? `nobody logged in within ${duration(patience)}` : 'the login was cancelled',
            ),
          );
        if (ends.aborted) end();
        else ends.addEventListener('abort', end, { once: true });
      });
      return Promise.race([came, over]);
    },

    close: () => {
      server.close();
      // Browsers open more than they use.
      server.closeAllConnections();
    },
  };
}

/**
 * The requested path; null for a request that no browser sends (`//`). Anyone on the machine can send one, and it must not
 * end the wait.
 */
function addressOf(asked = '/'): URL | null {
  const base = 'http://127.0.0.1';
  return URL.canParse(asked, base) ? new URL(asked, base) : null;
}

const LETTERS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function show(response: ServerResponse, status: number, text: string): Promise<void> {
  const safe = text.replace(/[&<>"]/g, (letter) => LETTERS[letter] ?? '');
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    // The code in the address is nobody's business.
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    connection: 'close',
  });
  return new Promise((resolve) => {
    response.once('close', resolve);
    response.end(
      `<!doctype html><html lang="en"><title>Sluice</title><body style="font: 1.2rem system-ui; margin: 4rem"><p>${safe}</p></body></html>`,
    );
  });
}
