/** A clone of a project as small as can be, for the set-up to work on: its own scripts, stand-ins for what it would download. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { ZipFile } from 'yazl';
import { ROOT } from '../support/tools.js';

export interface Ended {
  code: number | null;
  /** What the set-up said, line by line. */
  said: string[];
}

/** A module of scripts/. They are plain JavaScript, so the test says what it takes from them. */
export async function script<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(path.join(ROOT, 'scripts', name)).href)) as T;
}

export class Clone {
  private constructor(readonly folder: string) {}

  /** With packages installed: the compiler is this project's, the SDK's bundler copies, and its download is `download`. */
  static async make(download = "throw new Error('no internet here');"): Promise<Clone> {
    mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
    const clone = new Clone(mkdtempSync(path.join(ROOT, '.sluice', 'tmp', 'clone-')));
    cpSync(path.join(ROOT, 'scripts'), clone.at('scripts'), { recursive: true });
    for (const file of ['tsconfig.json', 'tsconfig.build.json']) cpSync(path.join(ROOT, file), clone.at(file));
    clone.write('package.json', '{ "name": "small", "version": "1.0.0", "type": "module" }\n');
    clone.write('package-lock.json', '{ "packages": { "": {} } }\n');
    clone.write('node_modules/.package-lock.json', '{ "packages": {} }\n');
    clone.write('node_modules/@temporalio/testing/package.json', '{ "type": "module", "main": "index.js" }\n');
    clone.write(
      'node_modules/@temporalio/testing/index.js',
      `import { writeFileSync } from 'node:fs';\nasync function create({ server }) {\n  const { downloadDir } = server.executable;\n  ${download}\n  return { teardown: async () => undefined };\n}\nexport const TestWorkflowEnvironment = { createLocal: create, createTimeSkipping: create };\n`,
    );
    clone.write('node_modules/@temporalio/worker/package.json', '{ "type": "module", "main": "index.js" }\n');
    clone.write(
      'node_modules/@temporalio/worker/index.js',
      "import { readFileSync } from 'node:fs';\nexport const bundleWorkflowCode = async ({ workflowsPath }) => ({ code: readFileSync(workflowsPath, 'utf8') });\nexport class DefaultLogger {}\n",
    );
    for (const name of ['typescript', '@types']) {
      symlinkSync(path.join(ROOT, 'node_modules', name), clone.at('node_modules', name));
    }
    mkdirSync(clone.at('node_modules/.bin'));
    symlinkSync('../../bin/sluice.mjs', clone.at('node_modules/.bin/sluice'));
    clone.write('workflows/index.ts', 'export async function nothing(): Promise<void> {}\n');
    clone.write('src/one.ts', 'export const one = 1;\n');
    await writeWheel(clone.at('stand_ins-1.0-py3-none-any.whl'));
    clone.write('requirements.txt', '# stand-ins\n./stand_ins-1.0-py3-none-any.whl\n');
    return clone;
  }

  at(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  has(...parts: string[]): boolean {
    return existsSync(this.at(...parts));
  }

  write(file: string, text: string): void {
    mkdirSync(path.dirname(this.at(file)), { recursive: true });
    writeFileSync(this.at(file), text);
  }

  /** A program of the clone's own PATH folder, as a shell script. */
  program(name: string, body: string): string {
    this.write(`path/${name}`, `#!/bin/sh\n${body}\n`);
    chmodSync(this.at('path', name), 0o755);
    return this.at('path', name);
  }

  /** Nothing is fetched from anywhere. */
  env(): NodeJS.ProcessEnv {
    return { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: '', NODE_OPTIONS: '' };
  }

  start(target: string, env: NodeJS.ProcessEnv = {}): { child: ChildProcess; end: Promise<Ended> } {
    const child = spawn(process.execPath, [this.at('scripts', 'setup.mjs'), '--for', target], {
      cwd: this.folder,
      env: { ...this.env(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
    const end = new Promise<Ended>((resolve) => {
      child.once('close', (code) => resolve({ code, said: said.split('\n').filter((line) => line !== '') }));
    });
    return { child, end };
  }

  setUp(target: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.start(target, env).end;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The steps that did something. */
export function done({ said }: Ended): string[] {
  return said.flatMap((line) => /^set-up: ([\w-]+) done in/.exec(line)?.[1] ?? []);
}

/** A wheel with the two programs that the set-up looks for; each says its name. */
async function writeWheel(file: string): Promise<void> {
  const info = 'stand_ins-1.0.dist-info';
  const zip = new ZipFile();
  const add = (name: string, text: string) => zip.addBuffer(Buffer.from(text), name);
  add('stand_ins.py', 'import os, sys\ndef main():\n    print("stand-in", os.path.basename(sys.argv[0]))\n');
  add(`${info}/METADATA`, 'Metadata-Version: 2.1\nName: stand-ins\nVersion: 1.0\n');
  add(`${info}/WHEEL`, 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n');
  add(`${info}/entry_points.txt`, '[console_scripts]\nministack = stand_ins:main\nmicroburst = stand_ins:main\n');
  add(`${info}/RECORD`, ['stand_ins.py', `${info}/METADATA`, `${info}/WHEEL`].map((name) => `${name},,`).join('\n'));
  zip.end();
  const out = createWriteStream(file);
  zip.outputStream.pipe(out);
  await finished(out);
}
