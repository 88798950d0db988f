// checkout as a web app: one server for all its versions, which the setting CHECKOUT names.
import { createServer } from 'node:http';

const { checkout } = await import(`./${process.env.CHECKOUT}.mjs`);
// Sluice names the release in this setting; it travels with it from slot to slot.
const release = process.env.SLUICE_RELEASE ?? '-';
/** Requests and errors by second since 1970. Sluice reads them as a metric, release by release. */
const seconds = new Map();

function count(failed) {
  const second = Math.floor(Date.now() / 1000);
  const counts = seconds.get(second) ?? { requests: 0, errors: 0 };
  seconds.set(second, { requests: counts.requests + 1, errors: counts.errors + (failed ? 1 : 0) });
  seconds.delete(second - 600);
}

function counted(from, to) {
  const sum = { requests: 0, errors: 0 };
  for (const [second, { requests, errors }] of seconds) {
    if (second < from || second >= to) continue;
    sum.requests += requests;
    sum.errors += errors;
  }
  // Nothing is not zero: a second before this process began may have had requests.
  return sum.requests === 0 ? {} : sum;
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'x-release': release });
  response.end(JSON.stringify(body));
}

async function pay(request, response) {
  let text = '';
  for await (const chunk of request) text += chunk;
  // A smoke test is no user.
  const isUser = request.headers['x-sluice-probe'] === undefined;
  try {
    answer(response, 200, { release, ...checkout(JSON.parse(text)) });
    if (isUser) count(false);
  } catch (error) {
    answer(response, 500, { release, error: error.message });
    if (isUser) count(true);
  }
}

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://checkout');
  if (pathname === '/checkout') return pay(request, response);
  if (pathname === '/health') return answer(response, 200, { release });
  if (pathname !== '/counts') return answer(response, 404, {});
  const [from, to] = ['from', 'to'].map((name) => Number(searchParams.get(name)));
  answer(response, 200, searchParams.get('release') === release ? counted(from, to) : {});
}).listen(process.env.PORT);
