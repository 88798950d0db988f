/** A Python that is new enough, and a virtual environment of it, however this machine can make one. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isEnding, run } from './child.mjs';
import { SetupError } from './error.mjs';
import { atLeast, NEEDS } from './versions.mjs';

const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

/**
 * The command of a Python that is new enough: `PYTHON` when set, else the first on PATH.
 * @throws SetupError that names every candidate and its version.
 */
export function findPython(env = process.env) {
  const tried = [];
  for (const command of env.PYTHON ? [env.PYTHON] : NAMES) {
    const version = versionOf(command, env);
    if (version !== null && atLeast(version, NEEDS.python)) return command;
    if (version !== null || env.PYTHON) tried.push(`${command}: ${version ?? 'does not run'}`);
  }
  throw new SetupError(
    `Sluice's set-up needs Python ${NEEDS.python.join('.')} or newer with pip, for the Temporal CLI and the emulated cloud; ${
      tried.length === 0 ? `none of ${NAMES.join(', ')} is on PATH` : `found ${tried.join(', ')}`
    }. Install it (Debian: apt install python3 python3-pip python3-venv), or set PYTHON to its path.`,
  );
}

function versionOf(command, env) {
  try {
    const code = 'import sys; print("%d.%d" % sys.version_info[:2])';
    const stdio = ['ignore', 'pipe', 'ignore'];
    return execFileSync(command, ['-c', code], { encoding: 'utf8', stdio, env, timeout: 30_000 }).trim();
  } catch {
    return null;
  }
}

/**
 * Makes sure of an environment at `at.venv`. Answers how to install into it: the command before a requirement, and what
 * to do afterwards. Debian splits ensurepip off its Python, so more than one way is tried.
 * @throws SetupError that names every way and why it failed.
 */
export async function environment(at, python, env) {
  const own = path.join(at.bin, 'python');
  const inside = { pip: [own, '-m', 'pip', 'install'], after: () => undefined };
  const ways = [
    ['the environment that is there', async () => inside, () => existsSync(own)],
    [
      `${python} -m venv`,
      async () => {
        await run(at, 'tools', python, ['-m', 'venv', at.venv], env);
        return inside;
      },
    ],
    [
      `${python} -m venv --without-pip, with the pip of ${python}`,
      async () => {
        await run(at, 'tools', python, ['-m', 'venv', '--without-pip', at.venv], env);
        return { pip: [python, '-m', 'pip', '--python', own, 'install'], after: () => undefined };
      },
    ],
    [
      `${python} -m virtualenv`,
      async () => {
        await run(at, 'tools', python, ['-m', 'virtualenv', '--quiet', at.venv], env);
        return inside;
      },
    ],
    [`${python} -m pip install --target`, async () => target(at, python)],
  ];
  const tried = [];
  for (const [name, make, applies = () => true] of ways) {
    if (!applies()) continue;
    try {
      const made = await make();
      const [command, ...args] = made.pip;
      await run(at, 'tools', command, [...args, '--help'], env);
      return made;
    } catch (error) {
      if (isEnding()) throw error;
      tried.push(`- ${name}: ${error.message}`);
      rmSync(at.venv, { recursive: true, force: true });
    }
  }
  throw new SetupError(
    `No Python environment could be made. Tried:\n${tried.join('\n')}\nInstall pip and venv for ${python} (Debian: apt install python3-pip python3-venv), then run \`npm run setup\` again.`,
  );
}

/** Without any virtual environment: a folder of packages, and wrappers where the programs of one would be. */
function target(at, python) {
  const folder = path.join(at.venv, 'packages');
  const wrap = (name, command) => {
    const file = path.join(at.bin, name);
    const said = [`PYTHONPATH=${quote(folder)}`, 'exec', ...command.map(quote), '"$@"'].join(' ');
    mkdirSync(at.bin, { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${said}\n`);
    chmodSync(file, 0o755);
  };
  return {
    pip: [python, '-m', 'pip', 'install', '--upgrade', '--target', folder],
    after() {
      wrap('python', [python]);
      const programs = path.join(folder, 'bin');
      for (const name of existsSync(programs) ? readdirSync(programs) : []) wrap(name, [path.join(programs, name)]);
    },
  };
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
