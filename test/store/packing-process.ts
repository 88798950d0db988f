/** `sluice pack` as a process of its own, in a folder of its own: what it shares with others is the store. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Artifact } from '../../src/model/spec.js';
import { ROOT } from '../support/tools.js';

const SPEC = `app: shop
environment: production
target: {function: shop, alias: live, region: eu-west-1, account: prod}
release: {folder: dist}
`;

/** The artifact of the argument that it prints. */
export async function packed(home: string, env: Record<string, string>): Promise<Artifact> {
  const cwd = mkdtempSync(path.join(home, 'client-'));
  mkdirSync(path.join(cwd, 'dist'));
  writeFileSync(path.join(cwd, 'dist', 'index.mjs'), `export const handler = () => ${JSON.stringify(cwd)};\n`);
  writeFileSync(path.join(cwd, 'rollout.yaml'), SPEC);
  const bare = { PATH: process.env.PATH, HOME: cwd, ...env };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(ROOT, 'bin', 'sluice.mjs'), 'pack', 'rollout.yaml'],
    { cwd, env: bare },
  );
  const argument = JSON.parse(stdout) as { app: string; release: { artifact: Artifact } };
  expect(argument).toMatchObject({ app: 'shop', specSchema: 1 });
  expect(Object.keys(argument.release)).toEqual(['artifact']);
  return argument.release.artifact;
}
