/** Parses SLUICE_STORE, which says where artifacts are kept. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../model/errors.js';

/** Where artifacts are kept unless SLUICE_STORE says otherwise, relative to the working directory. */
export const DEFAULT_STORE = path.join('.sluice', 'artifacts');

/** A store as it is set. `prefix` is empty or ends with `/`. */
export type StoreSetting =
  | { kind: 'folder'; folder: string; group: boolean }
  | { kind: 's3'; bucket: string; prefix: string; region?: string }
  | { kind: 'azure'; container: string; prefix: string };

/** The account and the Region that a target names: one store for each, where the setting has places for them. */
export interface StorePlace {
  account: string;
  region: string;
}

const FORMS =
  'write a folder, file:///FOLDER?mode=group, s3://BUCKET/PREFIX, or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX';
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Reads SLUICE_STORE. `{account}` and `{region}` in it are replaced by those of the target, so that one setting names a store
 * for each. Relative folders start at `cwd`. Errors: SLUICE_SETUP.
 */
export function storeSetting(text: string, place: StorePlace, cwd: string): StoreSetting {
  const filled = text.trim().replace(/\{(\w*)\}/g, (hole, name: string) => {
    if (name === 'account') return place.account;
    if (name === 'region') return place.region;
    throw wrong(text, `${hole} is unknown; use {account} and {region}`);
  });
  if (filled === '') throw wrong(text, 'it is empty');
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(filled))
    return { kind: 'folder', folder: path.resolve(cwd, filled), group: false };
  const url = URL.canParse(filled) ? new URL(filled) : null;
  if (url === null) throw wrong(text, 'it is not a valid address');
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw wrong(text, 'it must not contain credentials or "#"');
  switch (url.protocol) {
    case 'file:':
      return {
        kind: 'folder',
        folder: folderOf(text, url),
        group: optionOf(text, url, 'mode', ['group', 'private']) === 'group',
      };
    case 's3:':
      return s3Of(text, url);
    case 'https:':
    case 'http:':
      return azureOf(text, url);
    default:
      throw wrong(text, `${url.protocol} is not a supported store`);
  }
}

/** Errors: SLUICE_SETUP for what is no store. */
export function checkStoreSetting(text: string, place: StorePlace): void {
  storeSetting(text, place, '.');
}

function folderOf(text: string, url: URL): string {
  try {
    return fileURLToPath(new URL(url.pathname, url));
  } catch {
    throw wrong(text, 'a file: address names a folder on this machine, such as file:///srv/artifacts');
  }
}

function s3Of(text: string, url: URL): StoreSetting {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname))
    throw wrong(text, `"${url.hostname}" is not a valid bucket name`);
  const region = optionOf(text, url, 'region');
  const prefix = prefixOf(url.pathname);
  return { kind: 's3', bucket: url.hostname, prefix, ...(region === null ? {} : { region }) };
}

function azureOf(text: string, url: URL): StoreSetting {
  const local = LOOPBACK.has(url.hostname);
  if (url.protocol === 'http:' && !local) throw wrong(text, 'http is accepted only on this machine; use https');
  optionOf(text, url, '');
  // A storage emulator has the account in the path, Azure in the host's name.
  const [container, ...rest] = splitAt(url.pathname, local ? 2 : 1);
  if (container === undefined) throw wrong(text, 'it names no container');
  return { kind: 'azure', container: `${url.origin}/${container}`, prefix: prefixOf(rest.join('/')) };
}

function splitAt(pathname: string, many: number): string[] {
  const parts = pathname.split('/').filter((part) => part !== '');
  return parts.length < many ? [] : [parts.slice(0, many).join('/'), ...parts.slice(many)];
}

function prefixOf(pathname: string): string {
  const prefix = pathname.split('/').filter((part) => part !== '');
  return prefix.length === 0 ? '' : `${decodeURIComponent(prefix.join('/'))}/`;
}

/** The one query parameter that the address may have; null when it has none. */
function optionOf(text: string, url: URL, name: string, values?: readonly string[]): string | null {
  for (const [key, value] of url.searchParams) {
    if (key !== name) throw wrong(text, `"${key}" is not a supported option`);
    if (value === '' || (values !== undefined && !values.includes(value))) {
      throw wrong(text, `${key} is "${value}"${values === undefined ? '' : `; it takes ${values.join(' or ')}`}`);
    }
    return value;
  }
  return null;
}

function wrong(text: string, why: string): SluiceError {
  // A token would stand behind the question mark.
  return new SluiceError('SLUICE_SETUP', `SLUICE_STORE is "${text.replace(/\?.*$/s, '?…')}": ${why}; ${FORMS}`);
}
