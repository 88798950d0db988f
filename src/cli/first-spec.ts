/** The first rollout.yaml of a user, as `init` and `adopt` write it. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Target } from '../model/spec.js';
import { usageError } from './usage-error.js';

export interface FirstSpec {
  app: string;
  environment: string;
  target: Target;
  release: { folder: string } | { version: number | string };
}

/** YAML with a comment where a newcomer must decide. */
export function firstSpec(of: FirstSpec): string {
  const release =
    'folder' in of.release
      ? `  # A folder to pack. Or ${otherSources(of.target)}.\n  folder: ${quoted(of.release.folder)}`
      : `  # Live now. Put the version to roll out here, or folder: PATH to let Sluice publish it.\n  version: ${of.release.version}`;
  return `# What is rolled out, to where, and how. \`sluice schema\` prints the schema of every field.
app: ${quoted(of.app)}
environment: ${quoted(of.environment)}

target:
${targetLines(of.target)}

release:
${release}

${runsBesideStable(of.target) ? CANARY : DIRECT}`;
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
  # The alias your users and triggers reach. It must not be the bare function name.
  alias: ${quoted(target.alias)}
  region: ${quoted(target.region)}
  # The account, by the name a worker serves it under.
  account: ${quoted(target.account)}`;
    case 'app-service':
      return `  platform: app-service
  site: ${quoted(target.site)}
  resourceGroup: ${quoted(target.resourceGroup)}
  # The slot that new releases go into. Without one only direct is possible.
  ${target.slot === undefined ? '# slot: staging' : `slot: ${quoted(target.slot)}`}
  region: ${quoted(target.region)}
  # The subscription's id.
  account: ${quoted(target.account)}`;
  }
}

/** Whether a candidate can be called, and get a part of the traffic, before all users have it. */
function runsBesideStable(target: Target): boolean {
  return target.platform === 'lambda' || target.slot !== undefined;
}

const DIRECT = `strategy:
  type: direct
  bake: 10m
`;

const CANARY = `strategy:
  type: canary
  stages:
    - weight: 10%
      bake: 5m
      # Nobody goes on without a person's yes.
      approval: { within: 1d }
    - weight: 50%
      bake: 5m
    - weight: 100%
      bake: 10m

health:
  probes:
    # Called on the new release before it gets traffic, and then all the time.
    - name: smoke
      invoke: { payload: {} }
`;

/** As a YAML scalar: plain where that is safe. */
function quoted(text: string): string {
  const plain = /^[A-Za-z./][\w./:@-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return plain && !text.endsWith(':') ? text : JSON.stringify(text);
}

/** Errors: SLUICE_USAGE when the file is there. */
export function writeNew(cwd: string, file: string, text: string): void {
  refuseExisting(cwd, file);
  try {
    writeFileSync(path.resolve(cwd, file), text, { flag: 'wx' });
  } catch (error) {
    throw usageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function refuseExisting(cwd: string, file: string): void {
  if (existsSync(path.resolve(cwd, file))) {
    throw usageError(`${file} is there already and is not overwritten; name another one with --file`);
  }
}
