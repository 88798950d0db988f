/** The servers outside: probed pages, counts, Prometheus, webhooks. They remember every request, and misbehave on demand. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '../../emulators/http.js';

/** `unhealthy`: pages fail, after the first answer. `silent`: pages and counts never answer. `refusing`: the next webhooks are refused. */
export type Mood = 'well' | 'unhealthy' | 'silent' | 'refusing';

export interface Received {
  kind: 'probe' | 'metric' | 'prometheus' | 'hook';
  app: string;
  /** Everything but the headers that secrets are sent in. */
  rest: string;
  /** Those headers. */
  secrets: string[];
  /** Of a webhook: what its signature is checked by. */
  signed: { headers: IncomingHttpHeaders; body: string } | null;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** How pages of the app answer from now on, but for those of release `except`. */
  set(app: string, mood: Mood, except?: string | null): void;
  close(): Promise<void>;
}

const SECRET_IN: Record<Received['kind'], string[]> = {
  probe: ['x-probe-key'],
  metric: ['authorization', 'x-counts-key'],
  prometheus: ['authorization'],
  hook: [],
};
/** So often a webhook is refused in a row. */
const REFUSALS = 4;

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const moods = new Map<string, { mood: Mood; except: string | null; answered: Set<string> }>();

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await readBody(request)).toString('utf8');
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const [, kind = '', app = '', version = ''] = pathname.split('/') as [string, Received['kind'], string, string];
    const { headers } = request;
    const carriers = SECRET_IN[kind as Received['kind']] ?? [];
    const others = Object.entries(headers).filter(([name]) => !carriers.includes(name));
    received.push({
      ...{ kind: kind as Received['kind'], app },
      rest: JSON.stringify({ url: request.url, headers: others, body }),
      secrets: carriers.map((name) => String(headers[name])),
      signed: kind === 'hook' ? { headers, body } : null,
    });
    const { mood, except, answered } = moods.get(app) ?? { mood: 'well', except: null, answered: new Set() };
    // A server that fails often says what it was sent.
    const echo = { headers, body };
    const answer = (status: number, value: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (kind === 'hook') {
      const refused = mood === 'refusing' && answered.size < REFUSALS;
      answered.add(`hook ${answered.size}`);
      return answer(refused ? 500 : 200, { echo });
    }
    if (mood === 'silent' && version !== except) return;
    if (kind === 'prometheus') return answer(200, seriesFor(body));
    if (kind === 'metric') return answer(200, { requests: 40, errors: 0, echo });
    const first = !answered.has(version);
    answered.add(version);
    answer(mood === 'unhealthy' && version !== except && !first ? 500 : 200, { echo });
  };

  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    set: (app, mood, except = null) => moods.set(app, { mood, except, answered: new Set() }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A counter that grows by ten a second, for any range query; errors stay at none. */
function seriesFor(body: string): object {
  const form = new URLSearchParams(body);
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
  const values: [number, string][] = [];
  for (let at = start ?? 0; at <= (end ?? 0); at += step || 1) {
    values.push([at, form.get('query')?.includes('errors') === true ? '0' : String(Math.round(at * 10))]);
  }
  return { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values }] } };
}
