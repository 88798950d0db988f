/** A copy of the code that a test adds something to, to count what has to be touched and to hear what the compiler says of the rest. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/tools.js';

const CODE = ['src', 'workflows', 'activities', 'emulators'];

export class Toy {
  private readonly folder: string;
  private readonly edited = new Set<string>();

  constructor(name: string) {
    const tmp = path.join(ROOT, '.sluice', 'tmp');
    mkdirSync(tmp, { recursive: true });
    this.folder = mkdtempSync(path.join(tmp, `${name}-`));
    for (const each of CODE) cpSync(path.join(ROOT, each), path.join(this.folder, each), { recursive: true });
    for (const each of ['package.json', 'tsconfig.json']) cpSync(path.join(ROOT, each), path.join(this.folder, each));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(this.folder, 'node_modules'));
  }

  /** A file of the new thing's own. */
  write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.folder, file)), { recursive: true });
    writeFileSync(path.join(this.folder, file), text);
  }

  /** Puts `more` before the first place where `before` stands. */
  insert(file: string, before: string, more: string): void {
    const whole = path.join(this.folder, file);
    const text = readFileSync(whole, 'utf8');
    if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
    writeFileSync(
      whole,
      text.replace(before, () => `${more}${before}`),
    );
    this.edited.add(file);
  }

  /** Files of the project that were touched. */
  touched(): string[] {
    return [...this.edited].sort();
  }

  /** Files that the compiler refuses. */
  refused(): string[] {
    const tsc = path.join(ROOT, 'node_modules', '.bin', 'tsc');
    const include = JSON.parse(readFileSync(path.join(ROOT, 'tsconfig.json'), 'utf8')) as { compilerOptions: object };
    // Tests may name every verb or strategy there is, and are not the place to touch.
    const options = {
      ...include.compilerOptions,
      types: ['node'],
      incremental: true,
      tsBuildInfoFile: 'toy.tsbuildinfo',
    };
    this.write('tsconfig.toy.json', JSON.stringify({ compilerOptions: options, include: CODE }));
    const { stdout } = spawnSync(tsc, ['--noEmit', '--pretty', 'false', '-p', 'tsconfig.toy.json'], {
      cwd: this.folder,
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    return [...new Set([...stdout.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map(([, file]) => file as string))].sort();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
