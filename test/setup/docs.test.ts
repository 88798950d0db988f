import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS } from '../../src/model/errors.js';
import { STRATEGIES } from '../../src/model/words.js';
import { ROOT } from '../support/tools.js';

/** docs/errors.md, from the one list of errors. */
function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { final, means }]) => `| \`${code}\` | ${means} | ${final ? 'no' : 'yes'} |`,
  );
  return ['# Errors', '', '| code | what it means | tried again |', '|---|---|---|', ...rows, ''].join('\n');
}

test('docs/errors.md lists every error as the code has it (UPDATE_DOCS=1 rewrites it)', () => {
  const file = path.join(ROOT, 'docs', 'errors.md');
  if (process.env.UPDATE_DOCS === '1') writeFileSync(file, errorsPage());
  expect(readFileSync(file, 'utf8')).toBe(errorsPage());
});

test('docs/concepts.md describes every strategy', () => {
  const page = readFileSync(path.join(ROOT, 'docs', 'concepts.md'), 'utf8');
  expect(STRATEGIES.filter((strategy) => !page.includes(`\n- **${strategy}**: `))).toEqual([]);
});

test('every file that the README links to is there', () => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link as string);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((link) => !existsSync(path.join(ROOT, link)))).toEqual([]);
});

test('every npm command that the README names exists', () => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm (?:run )?(demo|test|[a-z:]+)\b/g)].map(([, name]) => name as string);
  expect(named).toContain('demo');
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});
