/** No message and no page names a command, or an option of one, that does not exist. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from '../../src/cli/program.js';
import { allCommands } from '../../src/cli/registry.js';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** `sluice …` in backticks, in a string of the code (where the backticks are escaped in a template) or on a page. */
const NAMED = /\\?`(?:npx (?:--no-install )?)?sluice ([a-z][^`\n]*?)\\?`/g;
/** A line of a block of commands. */
const LINE = /^\s*(?:npx (?:--no-install )?)?sluice ([a-z].*)$/gm;

interface Found {
  file: string;
  words: string[];
}

function filesBelow(folder: string): string[] {
  const at = path.join(ROOT, folder);
  return readdirSync(at, { recursive: true }).map((file) => path.join(at, String(file)));
}

function found(): Found[] {
  const files = ['src', 'activities', 'workflows', 'docs', 'examples'].flatMap(filesBelow);
  return [...files, path.join(ROOT, 'README.md')]
    .filter((file) => /\.(ts|md|yaml)$/.test(file))
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      const spans = [...text.matchAll(NAMED)];
      const lines = file.endsWith('.md') ? [...text.matchAll(LINE)] : [];
      return [...spans, ...lines].map(([, said = '']) => ({ file: path.relative(ROOT, file), words: wordsOf(said) }));
    });
}

/** As a shell splits it, without its comment and what follows a pipe; what the code fills in is some name. */
function wordsOf(said: string): string[] {
  const filled = said.replace(/\$\{[^}]*\?[^}]*\}|\$\{\w+\}(?=-)/g, ' ').replace(/\$\{[^}]*\}/g, 'name');
  const [line = ''] = filled.split(/\s+#|\s+\||\s+&&|\s+[<>]\s|;/);
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, three]) => one ?? two ?? three ?? '');
}

test('every command that docs and messages name exists, with its options', async () => {
  const commands = await allCommands();
  const all = found();
  expect(all.length).toBeGreaterThan(60);
  const wrong: string[] = [];
  for (const { file, words } of all) {
    const [name = '', ...rest] = words;
    const command = commands.find((each) => each.name === name);
    // A command that is only mentioned needs no arguments.
    if (command !== undefined && rest.length === 0) continue;
    // `<target>` of the usage on docs/cli.md stands for itself.
    if (rest.includes('[options]')) continue;
    const sinks = { stdout: { write: () => true }, version: '0', width: 100 };
    // What is named with an option alone is about the option: whom it is for stands elsewhere.
    const forOne = Object.values(command?.args ?? {})[0]?.required === true;
    const given = forOne && rest.every((word) => word.startsWith('-')) ? ['name', ...rest] : rest;
    const parsed = await parse([name, ...given], command === undefined ? commands : [command], sinks);
    if (!('command' in parsed)) wrong.push(`${file}: sluice ${words.join(' ')}: ${parsed.message ?? ''}`);
  }
  expect(wrong).toEqual([]);
});
