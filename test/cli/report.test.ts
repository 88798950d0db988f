import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chartsOf, weightSteps } from '../../src/cli/report/charts.js';
import { html, jsonBlock } from '../../src/cli/report/html.js';
import { renderReport } from '../../src/cli/report/index.js';
import { comparison, headline, probed, traffic } from '../../src/cli/report/sentence.js';
import { SluiceError } from '../../src/model/errors.js';
import { pace } from '../../src/model/series.js';
import type { RolloutView, VerdictView } from '../../src/model/view.js';
import { FakeSluice, play, seeing } from './fake.js';
import { ATTACK, hostile } from './hostile.js';
import { refused, rolledBack, running, succeeded } from './report-views.js';
import { baking, ended, NOW, point, source, stage } from './views.js';

const ASSETS = { styles: ['a{}'], scripts: ['1'] };
const page = (view = rolledBack()) => renderReport(view, { now: NOW, version: '1.2.3' }, ASSETS);

test('the report shows who got the release without going through the alias', () => {
  const bypass = [{ id: 'url', what: 'the function URL <of all>' }];
  expect(page({ ...rolledBack(), bypass })).toContain('<code>url</code> the function URL &lt;of all&gt;');
  expect(page()).not.toContain('Outside the rollout');
});

describe('the summary sentence', () => {
  const verdict = (stable: [number, number], candidate: [number, number]): VerdictView => ({
    state: 'unhealthy',
    why: '',
    counted: 'users',
    stable: { requests: stable[0], errors: stable[1] },
    candidate: { requests: candidate[0], errors: candidate[1] },
    sources: [],
    logE: Math.log(2_400),
    limit: Math.log(100),
    needed: null,
    asked: [],
  });

  test.each([
    [
      verdict([37_080, 37], [4_120, 37]),
      '0.9 % of 4,120 user requests failed, compared with 0.1 % of 37,080: 9 times the errors, evidence 1 : 2,400 (unhealthy at 1 : 100).',
    ],
    [
      verdict([1_000, 0], [100, 5]),
      '5 % of 100 user requests failed, compared with 0 % of 1,000: errors that the stable release does not have, evidence 1 : 2,400 (unhealthy at 1 : 100).',
    ],
    [
      verdict([0, 0], [100, 5]),
      '5 % of 100 user requests failed; there was nothing to compare with, evidence 1 : 2,400 (unhealthy at 1 : 100).',
    ],
    [
      verdict([100, 0], [0, 0]),
      'No user requests to the candidate were counted; evidence 1 : 2,400 (unhealthy at 1 : 100).',
    ],
    [
      { ...verdict([10, 0], [10, 0]), counted: 'probes' as const },
      '0 % of 10 probe calls failed, compared with 0 % of 10: no errors, evidence 1 : 2,400 (unhealthy at 1 : 100).',
    ],
  ])('%#', (of, said) => {
    expect(comparison(of)).toBe(said);
  });

  test.each([
    [[1_000, 10], [1_000, 25], '2.5 times the errors'],
    [[1_000, 10], [1_000, 10], 'as many errors'],
    [[1_000, 10], [1_000, 9], 'fewer errors'],
    [[1_000, 10], [1_000, 0], 'fewer errors'],
    [[1_000, 0], [1_000, 0], 'no errors'],
  ] as [[number, number], [number, number], string][])('compares %j with %j as: %s', (stable, candidate, said) => {
    expect(comparison(verdict(stable, candidate))).toContain(`: ${said}, evidence`);
  });

  test('our own probe calls get a sentence of their own if there are users as well', () => {
    const beside = { ...verdict([540, 0], [60, 0]), sources: [source('probe smoke', 'probes', [90, 0], [90, 3])] };
    expect(probed(beside)).toBe(
      '3.3 % of 90 probe calls failed, compared with 0 % of 90: errors that the stable release does not have.',
    );
    expect(probed({ ...beside, counted: 'probes' })).toBeNull();
    expect(probed(verdict([540, 0], [60, 0]))).toBeNull();
  });

  test('the headline names the current or last weight', () => {
    expect([rolledBack(), succeeded(), running(), refused()].map(headline)).toEqual([
      'Rolled back at 10 %',
      'Succeeded',
      'Baking at 10 %',
      'Failed',
    ]);
    expect(headline(baking({ phase: 'held' }))).toBe('Held at 10 %');
  });

  test('the traffic shown is the current one', () => {
    expect([rolledBack(), succeeded(), running()].map(traffic)).toEqual([
      'Stable 41 has 100 %, candidate 42 0 %.',
      'Release 42 has 100 %.',
      'Stable 41 has 90 %, candidate 42 10 %.',
    ]);
    expect(traffic(ended('failed', { stable: null }))).toBe('Nothing is live yet; candidate 42 has no traffic.');
  });
});

describe('the charts', () => {
  test('show the weight rising by stage, and end where the failed stage ended', () => {
    const at = (minute: number) => NOW - minute * 60_000;
    const view = rolledBack({
      series: [],
      startedAt: at(9),
      endedAt: at(1),
      stages: [
        stage('10%', { weight: 10, state: 'passed', startedAt: at(8), endedAt: at(5) }),
        stage('50%', { weight: 50, state: 'failed', startedAt: at(5), endedAt: at(2) }),
      ],
    });
    expect(weightSteps(view, NOW)).toEqual([
      { at: at(9), weight: 0 },
      { at: at(8), weight: 10 },
      { at: at(5), weight: 50 },
      { at: at(2), weight: 0 },
      { at: at(1), weight: 0 },
    ]);
    expect(chartsOf(view, NOW).marks).toEqual([at(8), at(5), at(2)]);
  });

  test('restart the counts with each weight: a gap, and no rate across it', () => {
    const counts = (requests: number) => ({ stable: { requests, errors: 1 }, candidate: { requests, errors: 0 } });
    const series = [
      point(NOW - 4_000, 10, counts(100)),
      point(NOW - 2_000, 10, counts(120)),
      point(NOW, 50, counts(10)),
    ];
    const { charts } = chartsOf(baking({ series, stages: [], startedAt: NOW - 5_000 }), NOW);
    const values = (id: string) => charts.find((chart) => chart.id === id)?.lines[0]?.values;
    expect(values('errors')).toEqual([1, (1 / 120) * 100, null, 10]);
    expect(values('requests')).toEqual([null, 10, null, null]);
    expect(charts.map(({ id }) => id)).toEqual(['weight', 'errors', 'evidence', 'requests']);
  });

  test('draw the evidence from 1 : 1 up, with the limit as a line and odds on the axis', () => {
    const evidenceOf = (view: RolloutView) => chartsOf(view, NOW).charts.find(({ id }) => id === 'evidence');
    const chart = evidenceOf(rolledBack());
    expect(chart?.ticks?.map(({ text }) => text)).toEqual(['1 : 1', '1 : 10', '1 : 100', '1 : 1,000']);
    expect(chart?.lines.map(({ role }) => role)).toEqual(['candidate', 'limit']);
    // There is evidence for this candidate, none against it.
    expect(Math.min(...succeeded().series.map(({ logE }) => logE))).toBeLessThan(0);
    expect(Math.min(...(evidenceOf(succeeded())?.lines[0]?.values ?? []).map(Number))).toBe(0);
  });

  test('average the last rate over more than the final fraction of a second', () => {
    const at = (ms: number, requests: number) =>
      point(ms, 10, { stable: { requests: 0, errors: 0 }, candidate: { requests, errors: 0 } });
    const view = { ...rolledBack(), series: [at(0, 0), at(1_000, 20), at(2_000, 40), at(2_100, 60)] };
    const rates = chartsOf(view, NOW).charts.find(({ id }) => id === 'requests')?.lines[1]?.values;
    expect(rates?.[2]).toBe(20);
    expect(rates?.[3]).toBeCloseTo(40 / 1.1);
  });

  test('are left out for a rollout that never gave the candidate any weight', () => {
    expect(chartsOf(refused(), NOW).charts).toEqual([]);
    expect(page(refused())).not.toContain('Over time');
  });
});

describe('the current rate', () => {
  const at = (second: number, weight: number, requests: number) =>
    point(second * 1_000, weight, { stable: { requests: 0, errors: 0 }, candidate: { requests, errors: 0 } });

  test('comes from the last points at the current weight', () => {
    expect(pace([at(0, 10, 0), at(10, 10, 900), at(20, 50, 5), at(30, 50, 25)])).toBe(2);
    expect(pace([0, 1, 2, 3, 4, 5, 6, 7].map((second) => at(second, 10, second < 2 ? 0 : second * 3)))).toBe(3);
  });

  test('is unknown with one point, no points, or no requests', () => {
    expect(pace([])).toBeNull();
    expect(pace([at(0, 10, 5), at(9, 50, 7)])).toBeNull();
    expect(pace([at(0, 10, 5), at(9, 10, 5)])).toBeNull();
  });
});

describe('the page', () => {
  test('escapes all foreign text', () => {
    expect(html`<b>${`<i>&"'`}</b>${['a', html`<br>`, null, 7]}`.text).toBe('<b>&lt;i&gt;&amp;&quot;&#39;</b>a<br>7');
    expect(jsonBlock({ name: '</script><!--' }).text).toBe('{"name":"\\u003c/script>\\u003c!--"}');
  });

  test('contains no tag from any text of the view', () => {
    const text = page(hostile());
    expect(text).toContain('&lt;/script&gt;&lt;img src=x');
    expect(text).not.toContain('<img');
    expect(text).not.toContain(ATTACK);
    expect(text.match(/<\/script>/g)).toHaveLength(2);
  });

  test('fetches nothing, and runs only its own script and style', () => {
    expect(page()).toMatch(
      /Content-Security-Policy" content="default-src &#39;none&#39;; script-src &#39;sha256-[^ ]+&#39;; style-src &#39;sha256-[^ ]+&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"/,
    );
    expect(page()).not.toMatch(/(?:src|href)=/);
  });

  test('shows three errors with their requests, the sources, and who started it and why', () => {
    const fourth = { what: 'the fourth error', count: 1 };
    const text = page(rolledBack({ errors: [...rolledBack().errors, fourth] }));
    for (const part of [
      'Cannot read properties of undefined',
      '5e1c2a0b-93a4-4b41-8d8e-9a4f6b1c7d20',
      '33 errors of 3,900 requests',
      'by ann',
      'totals with tax',
      'no approval is open',
      'a trigger points at the bare function',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('the fourth error');
  });

  test("shows the verdict's own counts if no series was kept", () => {
    const text = page(rolledBack({ series: [] }));
    expect(text).toContain('Counts at the last weight');
    expect(text).toContain('This rollout has no counts over time');
  });
});

describe('sluice report', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-report-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const TARGET = { app: 'checkout', environment: 'production' };
  const argv = (...more: string[]) => ['report', 'checkout/production', ...more];

  test("writes the page under the run's name and prints the path", async () => {
    const { code, out } = await play(argv(), { sluice: seeing(rolledBack()), cwd: folder });
    expect([code, out]).toEqual([0, 'checkout-production-1c0f9a01.html\n']);
    const written = readFileSync(path.join(folder, 'checkout-production-1c0f9a01.html'), 'utf8');
    expect(written).toContain('<h1>Rolled back at 10 %</h1>');
    expect(written).toContain('uPlot');
  });

  test("accepts a run and a file, and answers a program with the file's path", async () => {
    const sluice = seeing(rolledBack());
    const { json } = await play(argv('--run', '1c0f9a01', '--out', 'why.html', '-o', 'json'), { sluice, cwd: folder });
    expect(json()).toEqual([{ file: 'why.html' }]);
    expect(sluice.calls).toEqual([['rollout', TARGET, '1c0f9a01']]);
    expect(readFileSync(path.join(folder, 'why.html'), 'utf8')).toContain('<!doctype html>');
  });

  test('can write the page to stdout', async () => {
    const { code, out } = await play(argv('--out', '-'), { sluice: seeing(rolledBack()), cwd: folder });
    expect(code).toBe(0);
    expect(out).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  });

  test.each([
    [['--run', 'ab'], '--run is "ab"; write a run\'s id or its last 8 characters'],
    [['--out', '-', '-o', 'json'], 'use either -o json or --out -, not both'],
    [['--out', 'nowhere/why.html'], 'cannot write nowhere/why.html: ENOENT'],
    [['--out', 'taken'], 'cannot write taken: EISDIR'],
  ])('%j is refused with what to do', async (more, message) => {
    mkdirSync(path.join(folder, 'taken'));
    const { code, out, err } = await play(argv(...more), { sluice: seeing(rolledBack()), cwd: folder });
    expect(code).toBe(2);
    expect(`${out}${err}`).toContain(message.replaceAll('"', more.includes('json') ? '\\"' : '"'));
  });

  test('exits with its own code for an unknown rollout', async () => {
    const sluice = new FakeSluice();
    sluice.fails.rollout = new SluiceError('SLUICE_NO_ROLLOUT', 'there is no run');
    expect((await play(argv(), { sluice, cwd: folder })).code).toBe(12);
  });

  test.each([
    ['on a terminal with a screen', [], { tty: { columns: 80, rows: 24 }, screen: true }, 1],
    ['not without a screen', [], { tty: { columns: 80, rows: 24 } }, 0],
    ['not into a pipe', [], { screen: true }, 0],
    ['not with --open no', ['--open', 'no'], { tty: { columns: 80, rows: 24 }, screen: true }, 0],
    ['always with --open yes', ['--open', 'yes'], {}, 1],
  ])('opens the page: %s', async (_, more, where, times) => {
    const opened: string[] = [];
    const openPage = async (file: string) => void opened.push(file);
    await play(argv(...more), { sluice: seeing(rolledBack()), cwd: folder, openPage, ...where });
    expect(opened).toEqual(Array(times).fill(path.join(folder, 'checkout-production-1c0f9a01.html')));
  });

  test('does not fail if a browser cannot be opened', async () => {
    const openPage = () => Promise.reject(new Error('spawn xdg-open ENOENT'));
    const scene = { sluice: seeing(rolledBack()), cwd: folder, openPage };
    const { code, err } = await play(argv('--open', 'yes'), scene);
    expect([code, err]).toEqual([0, 'could not open a browser (spawn xdg-open ENOENT); open the file yourself\n']);
  });
});
