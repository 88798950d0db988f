/** Packages that the tests deploy: a server that says which release it is, and fails when it is told to. */
import { strToU8, zipSync } from 'fflate';

/** Answers every request with its text and some of its environment. */
export function server(text: string, code = ''): Buffer {
  const program = `
import { createServer } from 'node:http';
const { SLUICE_RELEASE = '', STAYS = '', TRAVELS = '', PORT, WEBSITE_SLOT_NAME, WEBSITE_SITE_NAME } = process.env;
let answer = () => [200, {}];
${code}
createServer((request, response) => {
  const [status, headers] = answer(request);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ text: ${JSON.stringify(text)}, pid: process.pid, release: SLUICE_RELEASE, stays: STAYS, travels: TRAVELS, slot: WEBSITE_SLOT_NAME, site: WEBSITE_SITE_NAME, path: request.url }));
}).listen(Number(PORT), '127.0.0.1');
`;
  return packageOf({
    'server.mjs': program,
    'package.json': JSON.stringify({ scripts: { start: 'node server.mjs' } }),
  });
}

export function packageOf(files: Record<string, string>): Buffer {
  return Buffer.from(zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]))));
}
