#!/usr/bin/env node
/** `npm test` and `npm run test:services`: the set-up, what the suites need, then jest as ES modules. */
import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { ROOT, ready } from './setup.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const services = process.argv[2] === '--services';
const args = process.argv.slice(services ? 3 : 2);
if (!(await ready())) process.exit(1);
process.removeAllListeners('SIGINT');
process.removeAllListeners('SIGTERM');

const env = { ...process.env };
if (services) {
  const browser = findBrowser() ?? installBrowser();
  if (browser === null) {
    process.stderr.write(`test:services needs Chromium, and there is none of ${BROWSERS.join(', ')} on PATH. Install it (Debian: apt install chromium), or set SLUICE_CHROMIUM to its path\n`);
    process.exit(1);
  }
  env.SLUICE_CHROMIUM = browser;
}
env.NODE_OPTIONS = [process.env.NODE_OPTIONS, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'].filter(Boolean).join(' ');
const config = services ? 'jest.services.config.js' : 'jest.config.js';
const child = spawn(process.execPath, [path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', config, ...args], { stdio: 'inherit', cwd: ROOT, env });
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.once('close', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));

function findBrowser() {
  if (process.env.SLUICE_CHROMIUM) return process.env.SLUICE_CHROMIUM;
  for (const name of BROWSERS) {
    try {
      return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    } catch {
      // the next one
    }
  }
  return null;
}

/** From Debian's packages, where this user may. */
function installBrowser() {
  if (process.getuid?.() !== 0) return null;
  try {
    process.stderr.write('set-up: installing Chromium (apt-get)\n');
    execFileSync('sh', ['-c', 'command -v apt-get'], { stdio: 'ignore' });
    execFileSync('sh', ['-c', 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium'], { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    return null;
  }
  return findBrowser();
}
