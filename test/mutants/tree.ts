/** A copy of the project that tests can run in: compiled, with the planted files in the place of their own. It lives in .sluice/tmp alone. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from '@swc/core';
import ts from 'typescript';

/** Folders with code; everything else of the project is linked. */
const CODE = ['src', 'workflows', 'activities', 'emulators', 'examples', 'test', 'bench'];

export interface Tree {
  folder: string;
  remove(): void;
}

/** `planted`: text by file, from the root. */
export function makeTree(root: string, planted: ReadonlyMap<string, string>): Tree {
  const tmp = path.join(root, '.sluice', 'tmp');
  mkdirSync(tmp, { recursive: true });
  const folder = mkdtempSync(path.join(tmp, 'mutants-'));
  for (const name of readdirSync(root)) {
    if (name !== '.git' && !CODE.includes(name)) symlinkSync(path.join(root, name), path.join(folder, name));
  }
  try {
    for (const name of CODE) copy(name);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };

  function copy(name: string): void {
    mkdirSync(path.join(folder, name));
    for (const entry of readdirSync(path.join(root, name), { withFileTypes: true })) {
      const file = path.posix.join(name, entry.name);
      if (entry.isDirectory()) copy(file);
      else if (!/(?<!\.d)\.ts$/.test(file)) symlinkSync(path.join(root, file), path.join(folder, file));
      else {
        const text = planted.get(file) ?? readFileSync(path.join(root, file), 'utf8');
        writeFileSync(path.join(folder, compiled(file)), compile(text, file));
      }
    }
  }
}

export function compiled(file: string): string {
  return file.replace(/\.ts$/, '.js');
}

function compile(text: string, filename: string): string {
  return transformSync(text, {
    filename,
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
  }).code;
}

/** What a file needs to run, itself included: files of the project, from the root, those without needs first. */
export class Needs {
  private readonly direct = new Map<string, string[]>();

  constructor(private readonly root: string) {}

  of(file: string): string[] {
    const found = new Set<string>();
    const visit = (each: string, on: ReadonlySet<string>): void => {
      if (found.has(each) || on.has(each)) return;
      for (const next of this.imports(each)) visit(next, new Set([...on, each]));
      found.add(each);
    };
    visit(file, new Set());
    return [...found];
  }

  private imports(file: string): string[] {
    const known = this.direct.get(file);
    if (known !== undefined) return known;
    // Types alone are no need: what the compiler leaves out is left out here.
    const code = compile(readFileSync(path.join(this.root, file), 'utf8'), file);
    const named = ts.preProcessFile(code, true, true).importedFiles.map(({ fileName }) => fileName);
    const files = named
      .filter((name) => name.startsWith('.') && name.endsWith('.js'))
      .map((name) => path.posix.join(path.posix.dirname(file), name).replace(/\.js$/, '.ts'));
    this.direct.set(file, files);
    return files;
  }
}
