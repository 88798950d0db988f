/** SAM's and CDK's own transforms, for the suite of docs/recipes.md. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findPython } from './setup/python.mjs';

/** Pinned: another release of a transform is another test. */
const SAM = ['aws-sam-translator==1.115.0', 'boto3==1.44.8'];
const CDK = ['aws-cdk-lib@2.276.0', 'constructs@10.8.1'];

/**
 * The folder of the Python packages with SAM's transform and the one with `node_modules` of CDK, installed below `folder` when they
 * are not there.
 * @throws Error that says what could not be installed and why.
 */
export function findRecipes(folder, env = process.env) {
  const sam = path.join(folder, 'sam');
  const cdk = path.join(folder, 'cdk');
  const python = findPython(env);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', sam, ...SAM];
  install(path.join(sam, '.installed'), SAM, () => execFileSync(python, pip, quiet(env)));
  const npm = ['install', '--prefix', cdk, '--no-audit', '--no-fund', '--ignore-scripts', '--no-save', ...CDK];
  install(path.join(cdk, '.installed'), CDK, () => execFileSync('npm', npm, quiet(env)));
  return { python, sam, cdk };
}

function quiet(env) {
  return { env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' };
}

function install(stamp, what, work) {
  const wanted = what.join(' ');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write(`test:services: installs ${wanted} …\n`);
  mkdirSync(path.dirname(stamp), { recursive: true });
  try {
    work();
  } catch (error) {
    throw new Error(`${wanted} could not be installed: ${String(error.stderr ?? error.message).trim()}`);
  }
  writeFileSync(stamp, wanted);
}
