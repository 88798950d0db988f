/** Step: what requirements.txt names is in the project's own Python environment. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isEnding, run } from './child.mjs';
import { SetupError } from './error.mjs';
import { environment, findPython } from './python.mjs';
import { digestOf, dropStamp, isStamped, putStamp } from './stamp.mjs';

/** Programs that come from nowhere else. The Temporal ones have another source, see servers.mjs. */
const PROGRAMS = ['python', 'ministack', 'microburst'];

export function tools(at) {
  const digest = () => digestOf(at.root, ['requirements.txt']);
  const there = () => PROGRAMS.every((name) => existsSync(path.join(at.bin, name)));
  return {
    name: 'tools',
    does: 'installs the Temporal CLI and the emulated cloud (pip)',
    needs: () => void findPython(),
    fresh: () => there() && isStamped(at, 'tools', digest()),
    async work() {
      dropStamp(at, 'tools');
      const env = {
        PIP_CACHE_DIR: process.env.PIP_CACHE_DIR ?? at.pipCache,
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
        PIP_NO_INPUT: '1',
      };
      const made = await environment(at, findPython(), env);
      await install(at, made, env);
      if (!there())
        throw new SetupError(`pip installed requirements.txt, but ${PROGRAMS.join(', ')} are not all there.`);
      putStamp(at, 'tools', digest());
    },
  };
}

/** All at once; when that fails one by one, because a machine without a wheel of Temporal's can still have the rest. */
async function install(at, { pip, after }, env) {
  const [command, ...args] = pip;
  const pipInstall = (...what) => run(at, 'tools', command, [...args, '--quiet', ...what], env);
  try {
    await pipInstall('--requirement', path.join(at.root, 'requirements.txt'));
  } catch (error) {
    if (isEnding()) throw error;
    const failed = [];
    for (const one of requirements(readFileSync(path.join(at.root, 'requirements.txt'), 'utf8'))) {
      await pipInstall(one).catch((why) => failed.push({ one, why }));
    }
    const needed = failed.filter(({ one }) => !one.startsWith('temporal-'));
    if (needed.length > 0) {
      throw new SetupError(
        `pip could not install ${needed.map(({ one }) => one).join(', ')}. Does it reach its index (\`pip config list\`)?\n${needed[0].why.message}`,
      );
    }
  }
  after();
}

/** The lines of a requirements file that name something. */
export function requirements(text) {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}
