/** Kudu, the deployment service beside each slot: publishing, and the slot's own volume by the VFS API. */
import { SluiceError } from '../../../model/errors.js';
import { clean } from '../../../model/text.js';
import { hasCode } from '../../shared/failures.js';
import { nextDelay, pause } from '../../shared/waiting.js';
import { all, call, type Session, signed } from './client.js';
import { isInProgress } from './errors.js';
import type { HttpAnswer } from './http.js';
import type { Place } from './site.js';

/** Kudu's `DeployStatus`. */
const FAILED = 3;
const SUCCESS = 4;

export interface Deployment {
  id: string;
  status: number;
  complete: boolean;
  text: string;
}

/** The last deployment of a slot; null when there never was one. */
export async function latestDeployment(session: Session, place: Place): Promise<Deployment | null> {
  return readDeployment(session, place, 'latest');
}

/**
 * Replaces the slot's files by the zip's and waits until they run, as far as the platform can tell. Answers the
 * deployment's id. `runs` false: there is nothing in it to run. Errors: SLUICE_REFUSED with the reason when the deployment or
 * the start failed.
 */
export async function publishZip(session: Session, place: Place, zip: Uint8Array, runs = true): Promise<string> {
  const before = await latestDeployment(session, place);
  const answer = await send(session, place, zip);
  const deployed = await waitDeployed(session, place, deploymentIn(answer), before?.id ?? null);
  if (runs) await waitRunning(session, place, deployed);
  return deployed;
}

/** Kudu takes one deployment at a time: that of an attempt whose answer was lost ends first. */
async function send(session: Session, place: Place, body: Uint8Array): Promise<HttpAnswer> {
  const headers = { 'content-type': 'application/zip' };
  for (let delay: number | null = null; ; ) {
    try {
      const path = '/api/publish?type=zip&async=true&clean=true';
      return await kudu(session, place, 'publish', path, { method: 'POST', body, headers });
    } catch (error) {
      if (!isInProgress(error)) throw error;
      delay = nextDelay(delay);
      await pause(session.ctx, delay);
    }
  }
}

/** The files that the slot serves, as a zip. */
export async function zipOfFiles(session: Session, place: Place): Promise<Uint8Array> {
  return (await kudu(session, place, 'read the files', '/api/zip/site/wwwroot/', {})).body;
}

export interface StoredFile {
  name: string;
  /** When it was written, ISO 8601. */
  mtime: string;
}

/** The files of a folder of the volume; none when there is no such folder. */
export async function listFiles(session: Session, place: Place, folder: string): Promise<StoredFile[]> {
  const answer = await found(kudu(session, place, 'list the packages', `/api/vfs/${folder}/`, {}));
  return answer === null ? [] : (JSON.parse(answer.body.toString('utf8')) as StoredFile[]);
}

/** Null: no such file. */
export async function readFile(session: Session, place: Place, path: string): Promise<Buffer | null> {
  return (await found(kudu(session, place, 'read a file', `/api/vfs/${path}`, {})))?.body ?? null;
}

/** Writes a file whole, over whatever is there. */
export async function writeFile(
  session: Session,
  place: Place,
  path: string,
  body: Uint8Array | string,
): Promise<void> {
  await kudu(session, place, 'write a file', `/api/vfs/${path}`, { method: 'PUT', body, headers: ANY_VERSION });
}

/** A file that is gone already is deleted. */
export async function deleteFile(session: Session, place: Place, path: string): Promise<void> {
  await found(kudu(session, place, 'delete a file', `/api/vfs/${path}`, { method: 'DELETE', headers: ANY_VERSION }));
}

/** A log of the slot's container. */
export interface LogFile {
  /** Its path, below Kudu's address. */
  path: string;
  /** When it last grew, in ms since the epoch. */
  at: number;
}

/**
 * Logs that the containers of a slot keep on its volume: none where logging to the file system is off ("Configure a custom
 * container", access with the Kudu API).
 */
export async function listLogs(session: Session, place: Place): Promise<LogFile[]> {
  const answer = await found(kudu(session, place, 'list the logs', '/api/logs/docker', {}));
  if (answer === null) return [];
  const said = JSON.parse(answer.body.toString('utf8')) as { href?: string; lastUpdated?: string }[];
  // Of the address its path alone: nothing is asked for elsewhere, whatever it says.
  return said.flatMap(({ href = '', lastUpdated = '' }) =>
    URL.canParse(href) ? [{ path: new URL(href).pathname, at: Date.parse(lastUpdated) }] : [],
  );
}

/** The last `most` bytes of a log. */
export async function readLog(session: Session, place: Place, { path }: LogFile, most: number): Promise<string> {
  const headers = { range: `bytes=-${most}` };
  return (await kudu(session, place, 'read a log', path, { headers })).body.toString('utf8');
}

/** Kudu requires the version that a write replaces; `*` means any. */
const ANY_VERSION = { 'if-match': '*' };

function kudu(
  session: Session,
  place: Place,
  what: string,
  path: string,
  request: { method?: string; body?: Uint8Array | string; headers?: Record<string, string> },
): Promise<HttpAnswer> {
  return signed(session, `${what} (Kudu of ${place.name})`, `https://${place.scm}${path}`, request);
}

async function found<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return null;
    throw error;
  }
}

async function readDeployment(session: Session, place: Place, id: string): Promise<Deployment | null> {
  const answer = await found(kudu(session, place, 'read a deployment', `/api/deployments/${id}`, {}));
  if (answer === null || answer.body.length === 0) return null;
  const said = JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>;
  if (typeof said.id !== 'string') return null;
  return {
    id: said.id,
    status: Number(said.status),
    complete: said.complete === true,
    text: clean(said.status_text ?? said.message ?? '', 300),
  };
}

/** Named by a header, or by the address to look at; Kudu may call it `latest` there. */
function deploymentIn({ headers }: HttpAnswer): string {
  return headers['scm-deployment-id'] ?? /\/deployments\/([^/?]+)/.exec(headers.location ?? '')?.[1] ?? 'latest';
}

/** `before`: the deployment that was the latest one so far, for when the new one's id is not given. */
async function waitDeployed(session: Session, place: Place, id: string, before: string | null): Promise<string> {
  for (let delay: number | null = null; ; ) {
    const found = await readDeployment(session, place, id);
    const now = id === 'latest' && found?.id === before ? null : found;
    if (now?.status === FAILED) {
      throw new SluiceError(
        'SLUICE_REFUSED',
        `the deployment ${now.id} to ${place.name} failed: ${now.text || 'Kudu gives no reason'}; its log is at /api/deployments/${now.id}/log of the slot's Kudu`,
      );
    }
    if (now?.status === SUCCESS && now.complete) return now.id;
    delay = nextDelay(delay);
    await pause(session.ctx, delay);
  }
}

/** "Deployed" is not "running": ARM says when the new files have started. It does so on Linux alone. */
async function waitRunning(session: Session, place: Place, deployment: string): Promise<void> {
  const { resourceGroup, site } = session.target;
  const status = await found(
    call(session, 'DeploymentStatus', async (webApps, options) => {
      const poller =
        place.slot === null
          ? webApps.getProductionSiteDeploymentStatus(resourceGroup, site, deployment, options)
          : webApps.getSlotSiteDeploymentStatusSlot(resourceGroup, site, place.slot, deployment, options);
      return poller.pollUntilDone(options);
    }),
  );
  if (status?.status !== 'RuntimeFailed' && status?.status !== 'TimedOut') return;
  const why = status.errors?.map(({ message }) => clean(message ?? '', 200)).join('; ') || 'no reason given';
  throw new SluiceError(
    'SLUICE_REFUSED',
    `${place.name} does not run what was deployed: ${status.status}, ${status.numberOfInstancesFailed ?? 0} instances failed: ${why}`,
  );
}

/** Instances of a slot that run. */
export async function instancesOf(session: Session, place: Place): Promise<number> {
  const { resourceGroup, site } = session.target;
  const found = await call(session, 'ListInstances', (webApps, options) =>
    all(
      place.slot === null
        ? webApps.listInstanceIdentifiers(resourceGroup, site, options)
        : webApps.listInstanceIdentifiersSlot(resourceGroup, site, place.slot, options),
    ),
  );
  return found.length;
}
