/** Kudu, the deployment service beside each slot: publish, deployments, the files of the volume ("Kudu service REST API"). */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Answer, type Call, empty, json } from '../http.js';
import { pack, unpack, writeDurably } from './files.js';
import { DEPLOY, type Deployment, type Slot } from './model.js';
import { MACHINE, wwwroot } from './runtime.js';

/** What Kudu needs of the slot it stands beside. */
export interface Side {
  slot: Slot;
  home: string;
  /** Its own address. */
  host: string;
  save(): void;
  /** What a deployment meets while it works: a sentence to fail with, or null. */
  fault(): Promise<string | null>;
  /** Lets the new files run; rejects when they do not start. */
  restart(): Promise<void>;
  newId(): string;
}

/** What a request is called in faults and logs; `serve` answers it. */
export interface KuduCall {
  operation: string;
  write: boolean;
  serve: () => Promise<Answer>;
}

export function kudu(side: Side, call: Call): KuduCall {
  const url = new URL(call.path, 'http://127.0.0.1');
  const at = decodeURIComponent(url.pathname);
  const read = (operation: string, serve: () => Answer): KuduCall => ({
    operation,
    write: false,
    serve: async () => serve(),
  });
  if (at === '/api/publish' && call.method === 'POST')
    return { operation: 'Publish', write: true, serve: async () => publish(side, url, call.body) };
  const [, id] = /^\/api\/deployments\/([^/]+)$/.exec(at) ?? [];
  if (id !== undefined) return read('GetDeployment', () => deployment(side, id));
  if (at === '/api/deployments')
    return read('ListDeployments', () =>
      json(
        200,
        [...side.slot.content.deployments].reverse().map((one) => shown(side, one)),
      ),
    );
  if (at === '/api/logs/docker') return read('ListLogs', () => logs(side));
  if (at === '/api/zip/site/wwwroot/') {
    return read('ReadFiles', () => ({
      status: 200,
      headers: { 'content-type': 'application/zip' },
      body: pack(wwwroot(side.home)),
    }));
  }
  const [, file] = /^\/api\/vfs\/(.*)$/.exec(at) ?? [];
  if (file === undefined) return read('Kudu', () => json(404, { Message: `No HTTP resource matches ${at}.` }));
  const whole = path.resolve(side.home, file);
  if (whole !== side.home && !whole.startsWith(`${side.home}${path.sep}`)) return read('GetFile', () => json(404, {}));
  switch (call.method) {
    case 'PUT':
      return {
        operation: file.endsWith('.zip') ? 'PutPackage' : 'PutFile',
        write: true,
        serve: async () => putFile(whole, call),
      };
    case 'DELETE':
      return { operation: 'DeleteFile', write: true, serve: async () => deleteFile(whole, call) };
    default:
      return read('GetFile', () =>
        at.endsWith('/') ? list(side, whole, file) : getFile(side, whole, file, call.headers.range),
      );
  }
}

/**
 * Takes a package: 202 at once with the address to look at. The old files go with `clean=true`. Kudu works at one
 * deployment at a time, and says 409 to the next.
 */
function publish(side: Side, url: URL, zip: Buffer): Answer {
  const { content } = side.slot;
  if (content.deployments.some((one) => one.ended === null))
    return json(409, { Message: 'There is a deployment currently in progress. Please try again when it completes.' });
  if (url.searchParams.get('type') !== 'zip')
    return json(400, { Message: `Artifact type '${url.searchParams.get('type')}' not supported` });
  const made: Deployment = {
    id: side.newId(),
    status: DEPLOY.deploying,
    text: '',
    received: new Date().toISOString(),
    ended: null,
    runtime: 'RuntimeStarting',
  };
  content.deployments.push(made);
  side.save();
  void deploy(side, made, zip, url.searchParams.get('clean') === 'true');
  return empty(202, {
    location: `https://${side.host}/api/deployments/latest`,
    'scm-deployment-id': made.id,
  });
}

async function deploy(side: Side, made: Deployment, zip: Buffer, clean: boolean): Promise<void> {
  const root = wwwroot(side.home);
  const fresh = `${root}.new`;
  try {
    const fault = await side.fault();
    if (fault !== null) throw new Error(fault);
    rmSync(fresh, { recursive: true, force: true });
    await unpack(zip, clean ? fresh : root);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    end(side, made, DEPLOY.failed, `Package deployment failed: ${(error as Error).message}`);
    return;
  }
  if (clean) replaceContents(root, fresh);
  end(side, made, DEPLOY.success, '');
  try {
    await side.restart();
    made.runtime = 'RuntimeSuccessful';
  } catch {
    made.runtime = 'RuntimeFailed';
  }
  side.save();
}

/**
 * The folder itself stays, and each file is replaced in one step: a process that starts in it meanwhile, of the release before, finds
 * its working directory and all its files.
 */
function replaceContents(root: string, fresh: string): void {
  mkdirSync(root, { recursive: true });
  const wanted = new Set(readdirSync(fresh));
  for (const name of wanted) {
    const [from, to] = [path.join(fresh, name), path.join(root, name)];
    // A folder cannot be put in the place of another one.
    const isFolder = [from, to].some((each) => statSync(each, { throwIfNoEntry: false })?.isDirectory() === true);
    if (isFolder) rmSync(to, { recursive: true, force: true });
    renameSync(from, to);
  }
  for (const name of readdirSync(root))
    if (!wanted.has(name)) rmSync(path.join(root, name), { recursive: true, force: true });
  rmSync(fresh, { recursive: true, force: true });
}

function end(side: Side, made: Deployment, status: number, text: string): void {
  made.status = status;
  made.text = text;
  made.ended = new Date().toISOString();
  if (status === DEPLOY.failed) made.runtime = 'RuntimeFailed';
  side.save();
}

function deployment(side: Side, id: string): Answer {
  const { deployments } = side.slot.content;
  const found = id === 'latest' ? deployments.at(-1) : deployments.find((one) => one.id === id);
  return found === undefined ? json(404, { Message: `Deployment '${id}' not found.` }) : json(200, shown(side, found));
}

function shown(side: Side, { id, status, text, received, ended }: Deployment): unknown {
  return {
    id,
    status,
    status_text: text,
    author: 'N/A',
    deployer: 'OneDeploy',
    message: 'OneDeploy',
    received_time: received,
    start_time: received,
    end_time: ended,
    complete: ended !== null,
    active: side.slot.content.deployments.at(-1)?.id === id,
    url: `https://${side.host}/api/deployments/${id}`,
    log_url: `https://${side.host}/api/deployments/${id}/log`,
  };
}

/** A file is replaced or deleted only by who names the version he means; `*` is any. */
function checked(file: string, { headers }: Call): Answer | null {
  if (!existsSync(file)) return null;
  const given = headers['if-match'];
  return given === '*' || given === etag(file)
    ? null
    : json(412, { Message: 'ETag does not represent the latest state of the resource.' });
}

function putFile(file: string, call: Call): Answer {
  const refused = checked(file, call);
  if (refused !== null) return refused;
  const status = existsSync(file) ? 204 : 201;
  writeDurably(file, call.body);
  return empty(status, { etag: etag(file) });
}

function deleteFile(file: string, call: Call): Answer {
  if (!existsSync(file)) return json(404, { Message: 'not found' });
  const refused = checked(file, call);
  if (refused !== null) return refused;
  rmSync(file);
  return empty();
}

function getFile(side: Side, file: string, name: string, range: string | undefined): Answer {
  if (!existsSync(file)) return json(404, { Message: `'${name}' not found.` });
  if (statSync(file).isDirectory())
    return { status: 307, headers: { location: `https://${side.host}/api/vfs/${name}/` }, body: Buffer.alloc(0) };
  const whole = readFileSync(file);
  const headers = { etag: etag(file), 'content-type': 'application/octet-stream' };
  const [, last] = /^bytes=-(\d+)$/.exec(range ?? '') ?? [];
  return last === undefined
    ? { status: 200, headers, body: whole }
    : { status: 206, headers, body: whole.subarray(Math.max(0, whole.length - Number(last))) };
}

/** Logs of the slot's containers, where they are kept ("Configure a custom container", access with the Kudu API). */
function logs(side: Side): Answer {
  const folder = path.join(side.home, 'LogFiles');
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('_docker.log')) : [];
  return json(
    200,
    files.map((name) => {
      const { size, mtime } = statSync(path.join(folder, name));
      const href = `https://${side.host}/api/vfs/LogFiles/${name}`;
      return { machineName: MACHINE, lastUpdated: mtime.toISOString(), size, href, path: `/home/LogFiles/${name}` };
    }),
  );
}

function list(side: Side, folder: string, name: string): Answer {
  if (!existsSync(folder)) return json(404, { Message: `'${name}' not found.` });
  const listed = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const { size, mtime, birthtime } = statSync(path.join(folder, entry.name));
    return {
      name: entry.name,
      size: entry.isDirectory() ? 0 : size,
      mtime: mtime.toISOString(),
      crtime: birthtime.toISOString(),
      mime: entry.isDirectory() ? 'inode/directory' : 'application/octet-stream',
      href: `https://${side.host}/api/vfs/${name}${entry.name}`,
      path: path.join('/home', name, entry.name),
    };
  });
  return json(200, listed);
}

function etag(file: string): string {
  const { mtimeMs, size } = statSync(file);
  return `"${Math.round(mtimeMs * 1000).toString(16)}-${size.toString(16)}"`;
}

/** An empty volume. */
export function makeVolume(home: string): void {
  mkdirSync(wwwroot(home), { recursive: true });
}
