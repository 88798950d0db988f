// checkout as a web application. One package holds its four versions, so that the example stays short: the app setting
// CHECKOUT, which travels with each release, says which of them runs.
import { createServer } from 'node:http';

const { CHECKOUT = 'v1', SLUICE_RELEASE: release = 'unknown', PORT = '8080' } = process.env;
const { checkout } = await import(`./${CHECKOUT}.mjs`);

// Requests and failures by second, for as long as a bake looks back. Sluice asks each release for its own.
const seconds = new Map();
const KEEP = 3_600;

function count(failed) {
  const now = Math.floor(Date.now() / 1000);
  const of = seconds.get(now) ?? { requests: 0, errors: 0 };
  seconds.set(now, { requests: of.requests + 1, errors: of.errors + (failed ? 1 : 0) });
  seconds.delete(now - KEEP);
}

function counts(from, to) {
  const within = [...seconds].filter(([second]) => second >= from && second < to).map(([, of]) => of);
  return within.reduce((a, b) => ({ requests: a.requests + b.requests, errors: a.errors + b.errors }), {
    requests: 0,
    errors: 0,
  });
}

async function order(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
}

async function answer(request) {
  const { pathname, searchParams } = new URL(request.url, 'http://checkout');
  if (pathname === '/health') return { ok: true, release };
  if (pathname === '/counts') {
    // Just after a swap the host may still be another release's: it says nothing of the one that was asked for.
    if (searchParams.get('release') !== release) return {};
    return counts(Number(searchParams.get('from')), Number(searchParams.get('to')));
  }
  return { release, ...checkout(await order(request)) };
}

createServer(async (request, response) => {
  // A probe of Sluice's is no user.
  const user = request.method === 'POST' && request.headers['x-sluice-probe'] === undefined;
  let [status, body] = [200, {}];
  try {
    body = await answer(request);
  } catch (error) {
    console.error(error);
    [status, body] = [500, { error: String(error) }];
  }
  if (user) count(status >= 500);
  response.writeHead(status, { 'content-type': 'application/json', 'x-release': release });
  response.end(JSON.stringify(body));
}).listen(Number(PORT));
