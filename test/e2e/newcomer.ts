/** What a newcomer has: the pages of the project, a project of their own, and a shell in it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/tools.js';

/** Longest run of one command, in ms: for what hangs. */
const ONE_COMMAND = 540_000;

/** A command that runs. */
export interface Begun {
  /** What it has printed so far. */
  said(): string;
  /** What it printed in all; rejects with it when the exit code is not 0. */
  ended: Promise<string>;
}

/** A fenced block of a page. */
export interface Block {
  language: string;
  text: string;
}

/** The fenced blocks of a page, in its order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)].map(([, language = '', body = '']) => ({
    language,
    text: body,
  }));
}

/** The texts of a page's blocks in one language. */
export function textsOf(page: string, language: string): string[] {
  return blocksOf(page)
    .filter((block) => block.language === language)
    .map(({ text }) => text);
}

/** The commands of a page: each line of its `sh` blocks. */
export function commandsOf(page: string): string[] {
  return textsOf(page, 'sh').flatMap((text) => text.trim().split('\n'));
}

/** A person's own project, in a folder of its own, with a shell. */
export class Project {
  private readonly running = new Set<ChildProcess>();

  constructor(
    readonly folder: string,
    private readonly env: Record<string, string>,
  ) {
    mkdirSync(folder, { recursive: true });
    this.write('package.json', '{ "private": true }\n');
  }

  /** Built code in ./dist, one of examples/checkout, and Sluice installed from the clone as the quickstart says. */
  async install(handler: string): Promise<void> {
    cpSync(path.join(ROOT, 'examples', 'checkout', handler), path.join(this.folder, 'dist'), { recursive: true });
    // Offline: nothing of it may come from a registry, where another package could have the name.
    await this.run(`npm install --offline --no-audit --no-fund --save-dev ${ROOT}`);
  }

  write(file: string, text: string): void {
    writeFileSync(path.join(this.folder, file), text);
  }

  read(file: string): string {
    return readFileSync(path.join(this.folder, file), 'utf8');
  }

  /** Runs a line as typed, comment and all. Answers what it printed; rejects with it when the exit code is not 0. */
  run(line: string): Promise<string> {
    return this.begin(line).ended;
  }

  /** As `run`, for a line whose words are of interest while it runs. */
  begin(line: string): Begun {
    const child = spawn('/bin/sh', ['-c', line], {
      cwd: this.folder,
      env: { ...process.env, ...this.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.running.add(child);
    const late = setTimeout(() => kill(child), ONE_COMMAND);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const ended = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        clearTimeout(late);
        this.running.delete(child);
        if (code === 0) resolve(said);
        else reject(new Error(`${line}\nended with ${signal ?? `exit code ${code}`} and said:\n${said}`));
      });
    });
    return { said: () => said, ended };
  }

  /** Ends what still runs, with all it started. */
  stop(): void {
    for (const child of this.running) kill(child);
  }
}

function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
