/** The first rollout.yaml of a user, as `init` and `adopt` write it. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { usage } from './given.js';

export interface FirstSpec {
  app: string;
  environment: string;
  function: string;
  alias: string;
  region: string;
  account: string;
  release: { folder: string } | { version: number };
}

/** YAML with a comment where a newcomer must decide. */
export function firstSpec(of: FirstSpec): string {
  const release =
    'folder' in of.release
      ? `  # A folder to pack. Or zip: FILE, s3: {bucket, key}, image: URI@sha256:…, version: N.\n  folder: ${quoted(of.release.folder)}`
      : `  # Live now. Put the version to roll out here, or folder: PATH to let Sluice publish it.\n  version: ${of.release.version}`;
  return `# What is rolled out, to where, and how. \`sluice schema\` prints the schema of every field.
app: ${quoted(of.app)}
environment: ${quoted(of.environment)}

target:
  platform: lambda
  function: ${quoted(of.function)}
  # The alias your users and triggers reach. It must not be the bare function name.
  alias: ${quoted(of.alias)}
  region: ${quoted(of.region)}
  # The account, by the name a worker serves it under.
  account: ${quoted(of.account)}

release:
${release}

strategy:
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
}

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
    throw usage(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function refuseExisting(cwd: string, file: string): void {
  if (existsSync(path.resolve(cwd, file))) {
    throw usage(`${file} is there already and is not overwritten; name another one with --file`);
  }
}
