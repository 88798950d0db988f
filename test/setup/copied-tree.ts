/** A copy of the tree in which something is added, to see what the compiler says of it. The files of the project stay as they are. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { ROOT } from '../support/tools.js';

/** What is compiled: all that is not a test. */
const FOLDERS = ['src', 'workflows', 'activities', 'emulators'];

/** A change of one file: the text that is there once, and what takes its place. */
export interface Edit {
  file: string;
  changes: [from: string, to: string][];
}

export class CopiedTree {
  /** Kept from one look to the next, so that what has not changed is not read again. */
  private readonly known = new Map<string, ts.SourceFile>();

  private constructor(readonly folder: string) {}

  static make(name: string): CopiedTree {
    mkdirSync(path.join(ROOT, '.sluice', 'tmp'), { recursive: true });
    const folder = mkdtempSync(path.join(ROOT, '.sluice', 'tmp', `${name}-`));
    for (const each of FOLDERS) cpSync(path.join(ROOT, each), path.join(folder, each), { recursive: true });
    for (const file of ['package.json', 'tsconfig.json']) cpSync(path.join(ROOT, file), path.join(folder, file));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    return new CopiedTree(folder);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.folder, file)), { recursive: true });
    writeFileSync(path.join(this.folder, file), text);
  }

  delete(file: string): void {
    rmSync(path.join(this.folder, file));
  }

  /** Errors: a text that is not there exactly once. */
  edit({ file, changes }: Edit): void {
    let text = readFileSync(path.join(this.folder, file), 'utf8');
    for (const [from, to] of changes) {
      if (text.split(from).length !== 2) throw new Error(`${file} does not have this text once: ${from}`);
      text = text.replace(from, () => to);
    }
    this.write(file, text);
  }

  /** The file as the project has it. */
  restore(file: string): void {
    cpSync(path.join(ROOT, file), path.join(this.folder, file));
  }

  /** What the compiler says: the errors of these files, or of all. */
  errors(...files: string[]): string[] {
    return files.length === 0 ? [...this.look()] : [...this.look(files, true)];
  }

  /** The first error, looked for in these files first; undefined when there is none. */
  firstError(...files: string[]): string | undefined {
    const [error] = this.look(files);
    return error;
  }

  private *look(files: string[] = [], alone = false): Generator<string> {
    const program = this.compile();
    const own = program
      .getSourceFiles()
      .filter(({ fileName }) => !path.relative(this.folder, fileName).startsWith('..'));
    const rank = ({ fileName }: ts.SourceFile) => (files.includes(path.relative(this.folder, fileName)) ? 0 : 1);
    for (const source of own.toSorted((a, b) => rank(a) - rank(b))) {
      const file = path.relative(this.folder, source.fileName);
      if (alone && !files.includes(file)) continue;
      for (const { messageText } of [
        ...program.getSyntacticDiagnostics(source),
        ...program.getSemanticDiagnostics(source),
      ])
        yield `${file}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    }
  }

  private compile(): ts.Program {
    const { compilerOptions } = ts.readConfigFile(path.join(this.folder, 'tsconfig.json'), ts.sys.readFile).config;
    const json = { compilerOptions: { ...compilerOptions, incremental: false, types: ['node'] }, include: FOLDERS };
    const { options, fileNames } = ts.parseJsonConfigFileContent(json, ts.sys, this.folder);
    const host = ts.createCompilerHost(options);
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (name, ...rest) => {
      const known = this.known.get(name);
      const source = known?.text === ts.sys.readFile(name) ? known : read(name, ...rest);
      if (source !== undefined) this.known.set(name, source);
      return source;
    };
    return ts.createProgram(fileNames, options, host);
  }
}
