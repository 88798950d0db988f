/** The first rollout.yaml of a user, as `init` and `adopt` write it. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Target } from '../model/spec.js';
import type { Strategy } from '../model/words.js';
import { usageError } from './usage-error.js';

export interface FirstSpec {
  app: string;
  environment: string;
  target: Target;
  release: { folder: string } | { version: number | string };
  /** The safest that the target can have, unless given. */
  strategy?: Strategy | undefined;
}

/** YAML, with a comment where a newcomer has to decide. */
export async function firstSpec(of: FirstSpec): Promise<string> {
  const release =
    'folder' in of.release
      ? `  # A folder to upload. Or ${otherSources(of.target)}.\n  folder: ${quoted(of.release.folder)}`
      : `  # The version that is live now. Put the one to roll out here, or folder: PATH to let Sluice publish it.\n  version: ${of.release.version}`;
  return `# What to roll out, where, and how. \`sluice schema\` prints the schema of all fields.
app: ${quoted(of.app)}
environment: ${quoted(of.environment)}

target:
${targetLines(of.target)}

release:
${release}

${await sampleOf(of.strategy ?? (runsBesideStable(of.target) ? 'canary' : 'direct'))}`;
}

/** The records are with the parser's library, without which the command line starts. */
async function sampleOf(strategy: Strategy): Promise<string> {
  const { STRATEGY } = await import('../strategies/registry.js');
  return STRATEGY[strategy].sample;
}

function otherSources(target: Target): string {
  switch (target.platform) {
    case 'lambda':
      return 'zip: FILE, s3: {bucket, key}, image: URI@sha256:…, version: N';
    case 'app-service':
      return 'zip: FILE, version: RELEASE-ID';
  }
}

function targetLines(target: Target): string {
  switch (target.platform) {
    case 'lambda':
      return `  platform: lambda
  function: ${quoted(target.function)}
  # The alias that your users and triggers call. They must not call the function without an alias.
  alias: ${quoted(target.alias)}
  region: ${quoted(target.region)}
  # The account, by the name its worker serves it under.
  account: ${quoted(target.account)}`;
    case 'app-service':
      return `  platform: app-service
  site: ${quoted(target.site)}
  resourceGroup: ${quoted(target.resourceGroup)}
  # The slot for new releases. Without one, only the strategy direct is possible.
  ${target.slot === undefined ? '# slot: staging' : `slot: ${quoted(target.slot)}`}
  region: ${quoted(target.region)}
  # The subscription id.
  account: ${quoted(target.account)}`;
  }
}

/** Whether a candidate can be called, and can get part of the traffic, before all users get it. */
function runsBesideStable(target: Target): boolean {
  return target.platform === 'lambda' || target.slot !== undefined;
}

/** As a YAML scalar: plain where that is safe. */
function quoted(text: string): string {
  const plain = /^[A-Za-z./][\w./:@-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return plain && !text.endsWith(':') ? text : JSON.stringify(text);
}

/** Errors: SLUICE_USAGE if the file exists. */
export function writeNew(cwd: string, file: string, text: string): void {
  refuseExisting(cwd, file);
  try {
    writeFileSync(path.resolve(cwd, file), text, { flag: 'wx' });
  } catch (error) {
    throw usageError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function refuseExisting(cwd: string, file: string): void {
  if (existsSync(path.resolve(cwd, file))) {
    throw usageError(`${file} already exists and is not overwritten; choose another with --file`);
  }
}
