/** The report in a real browser, opened from disk: a stranger sees what happened, and nothing leaves the page. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { reportAssets } from '../../src/cli/report/assets.js';
import { renderReport } from '../../src/cli/report/index.js';
import { grouped } from '../../src/model/numbers.js';
import type { RolloutView } from '../../src/model/view.js';
import { hostile } from '../cli/hostile.js';
import { refused, rolledBack, running, succeeded } from '../cli/report-views.js';
import { NOW } from '../cli/views.js';
import { ROOT } from '../support/tools.js';

/** `UPDATE_PICTURES=1` keeps the picture in the docs; otherwise it goes to the scratch folder, as the others always do. */
const SCRATCH = path.join(ROOT, '.sluice/pictures');
const DOCS = process.env.UPDATE_PICTURES === '1' ? path.join(ROOT, 'docs/pictures') : SCRATCH;

let browser: Browser;
let folder: string;

beforeAll(async () => {
  mkdirSync(SCRATCH, { recursive: true });
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-report-'));
  browser = await chromium.launch({
    executablePath: process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Opened {
  page: Page;
  /** What the browser's console said. */
  said: string[];
  /** Addresses that were asked for, besides the file itself. */
  requests: string[];
}

async function open(
  view: RolloutView,
  how: { colorScheme?: 'light' | 'dark'; javaScriptEnabled?: boolean } = {},
): Promise<Opened> {
  const file = path.join(folder, `${view.outcome ?? view.phase}.html`);
  writeFileSync(file, renderReport(view, { now: NOW, version: '0.0.0' }, reportAssets()));
  const page = await browser.newPage({ viewport: { width: 1160, height: 1000 }, ...how });
  const said: string[] = [];
  const requests: string[] = [];
  const { href } = pathToFileURL(file);
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  page.on('request', (request) => {
    if (request.url() !== href) requests.push(request.url());
  });
  await page.goto(href);
  return { page, said, requests };
}

/** By chart: how many points of its canvas have ink. */
function ink(page: Page): Promise<Record<string, number>> {
  return page.evaluate(`Object.fromEntries([...document.querySelectorAll('.chart')].map((chart) => {
    const canvas = chart.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let points = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) points += 1;
    return [chart.id, points];
  }))`);
}

async function picture({ page }: Opened, file: string): Promise<void> {
  await page.screenshot({ path: file, fullPage: true });
}

test('for a rollback the charts are drawn, the console stays empty, and no request leaves the page', async () => {
  const opened = await open(rolledBack(), { colorScheme: 'light' });
  const points = await ink(opened.page);
  expect(Object.keys(points)).toEqual([
    'chart-weight',
    'chart-errors',
    'chart-evidence',
    'chart-slow',
    'chart-requests',
  ]);
  for (const count of Object.values(points)) expect(count).toBeGreaterThan(1_000);
  expect(opened.said).toEqual([]);
  expect(opened.requests).toEqual([]);
  await opened.page.setViewportSize({ width: 1160, height: 1540 });
  await opened.page.screenshot({ path: path.join(DOCS, 'report.png') });
  await opened.page.emulateMedia({ media: 'print' });
  await picture(opened, path.join(SCRATCH, 'report-print.png'));
  await opened.page.close();
});

test('the table and the summary sentence show the same numbers as the view', async () => {
  const view = rolledBack();
  const { page } = await open(view);
  const last = view.series.at(-1);
  const table = (await page.locator('#totals').textContent()) ?? '';
  const verdict = (await page.locator('#verdict').textContent()) ?? '';
  for (const { requests } of [last?.stable, last?.candidate].filter((counts) => counts !== undefined)) {
    expect(table).toContain(grouped(requests));
    expect(verdict).toContain(grouped(requests));
  }
  expect(await page.locator('#points tbody tr').count()).toBe(view.series.length);
  await page.close();
});

test.each([
  ['a rollback in dark mode', rolledBack(), 'dark'],
  ['a success', succeeded(), 'light'],
  ['a running rollout', running(), 'light'],
  ['a refusal without any counts', refused(), 'light'],
] as const)('%s is shown without an error', async (name, view, colorScheme) => {
  const opened = await open(view, { colorScheme });
  await picture(opened, path.join(SCRATCH, `report-${name.replaceAll(' ', '-')}.png`));
  expect(opened.said).toEqual([]);
  expect(opened.requests).toEqual([]);
  await opened.page.close();
});

test('the numbers are there even without scripts', async () => {
  const opened = await open(rolledBack(), { javaScriptEnabled: false });
  await opened.page.locator('#points summary').click();
  expect(await opened.page.locator('#points tbody tr').first().isVisible()).toBe(true);
  expect(await opened.page.locator('noscript').textContent()).toContain('the tables below show the same numbers');
  await opened.page.close();
});

test('foreign text stays text', async () => {
  const opened = await open(hostile(), { colorScheme: 'light' });
  expect(await opened.page.evaluate('[window.pwned, document.images.length]')).toEqual([undefined, 0]);
  expect(Object.values(await ink(opened.page)).every((count) => count > 1_000)).toBe(true);
  expect(opened.said).toEqual([]);
  await opened.page.close();
});
