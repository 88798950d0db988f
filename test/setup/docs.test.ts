/** The documentation holds together: every link leads somewhere, every page is in the index, the generated pages are fresh. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS } from '../../src/model/errors.js';
import { STRATEGIES } from '../../src/model/words.js';
import { ROOT } from '../support/tools.js';

/** docs/errors.md, from the one list of errors. */
function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { final, means }]) => `| \`${code}\` | ${means} | ${final ? 'no' : 'yes'} |`,
  );
  return ['# Errors', '', '| code | what it means | retried |', '|---|---|---|', ...rows, ''].join('\n');
}

test('docs/errors.md lists every error as in the code (UPDATE_DOCS=1 rewrites it)', () => {
  const file = path.join(ROOT, 'docs', 'errors.md');
  if (process.env.UPDATE_DOCS === '1') writeFileSync(file, errorsPage());
  expect(readFileSync(file, 'utf8')).toBe(errorsPage());
});

test('docs/concepts.md describes every strategy', () => {
  const page = readFileSync(path.join(ROOT, 'docs', 'concepts.md'), 'utf8');
  expect(STRATEGIES.filter((strategy) => !page.includes(`\n- **${strategy}**: `))).toEqual([]);
});

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join('docs', file)),
];

/** The links of a page to places in the repository, each resolved from its root. */
function linksOf(page: string): { file: string; anchor?: string }[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  return [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, link = '', anchor]) => ({
    file: link === '' ? page : path.join(path.dirname(page), link),
    ...(anchor === undefined ? {} : { anchor }),
  }));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

test.each(PAGES)('every link on %s leads to an existing file and heading', (page) => {
  const broken = linksOf(page).filter(
    ({ file, anchor }) =>
      !existsSync(path.join(ROOT, file)) || (anchor !== undefined && !anchorsOf(file).includes(anchor)),
  );
  expect(broken).toEqual([]);
});

/** Places of the repository in backticks, such as `src/model/ids.ts`; those with `<name>` in them are patterns. */
const PLACE = /`((?:src|test|workflows|activities|emulators|docs|examples|schema|scripts|bench)\/[^`\s<*]*)`/g;

test.each(PAGES)('every file and folder that %s names exists', (page) => {
  const places = [...readFileSync(path.join(ROOT, page), 'utf8').matchAll(PLACE)].map(([, place = '']) => place);
  const there = (place: string) => existsSync(path.join(ROOT, place));
  expect(places.filter((place) => !there(place))).toEqual([]);
});

test('docs/README.md lists every page once', () => {
  const listed = linksOf('docs/README.md')
    .map(({ file }) => file)
    .filter((file) => file.endsWith('.md'));
  const pages = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  expect(listed.sort()).toEqual(pages.sort());
});

test('every npm command in the README exists', () => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm (?:run )?(demo|test|[a-z:]+)\b/g)].map(([, name]) => name as string);
  expect(named).toContain('demo');
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});
