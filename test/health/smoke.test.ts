import { describe, expect, test } from '@jest/globals';
import { runSmoke } from '../../src/health/smoke.js';
import { SluiceError } from '../../src/model/errors.js';
import type { ReleaseAnswer } from '../../src/platforms/port.js';
import { egressFor } from '../support/egress.js';
import { answered, calm, FunctionDouble, failedWith, probeSpec, specWith } from './double.js';

const one = probeSpec({ name: 'one' });
const two = probeSpec({ name: 'two', smoke: 2 });

function smoke(driver: FunctionDouble, probes = [one, two], { ctx = calm(), within = 60_000 } = {}) {
  return runSmoke({ spec: specWith(probes), version: '7', probes, within }, { driver, ctx, egress: egressFor() });
}

/** Answers the calls of the release in this order, the last answer for all that follow. */
function answering(...answers: ReleaseAnswer[]) {
  const driver = new FunctionDouble();
  driver.answer = (version) => answers[Math.min(driver.calls[version] ?? 1, answers.length) - 1] ?? answered(version);
  return driver;
}

const good = answered('7');
const bad = failedWith('7', 'TypeError', 'card is undefined');
const late = answered('7', { latencyMs: 4_500 });

describe('a smoke test', () => {
  test('passes when each probe has succeeded as often as required', async () => {
    const driver = new FunctionDouble();
    expect(await smoke(driver)).toEqual({
      passed: true,
      lines: ['one: 3 of 3 passed, slowest 1 ms', 'two: 2 of 2 passed, slowest 1 ms'],
    });
    expect(driver.calls).toEqual({ 7: 5 });
  });

  test('fails when as many calls in a row fail as would have to pass, with the full reason', async () => {
    const driver = answering(good, bad);
    expect(await smoke(driver, [one])).toEqual({
      passed: false,
      lines: ['one: 3 calls in a row failed: TypeError: card is undefined'],
      why: 'probe one of version 7: 3 calls in a row failed: TypeError: card is undefined',
    });
    expect(driver.calls).toEqual({ 7: 4 });
  });

  test('goes on after one failure, and passes once enough calls in a row succeed', async () => {
    const driver = answering(good, good, bad, good);
    expect(await smoke(driver, [one])).toEqual({
      passed: true,
      lines: ['one: 3 passed in a row, slowest 1 ms'],
    });
    expect(driver.calls).toEqual({ 7: 6 });
  });

  test('fails at its deadline if neither happens, with the counts', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) => ((driver.calls[version] ?? 0) % 2 === 0 ? bad : good);
    const { passed, why } = await smoke(driver, [one], { within: 300 });
    expect(passed).toBe(false);
    expect(why).toMatch(
      /^probe one of version 7: neither 3 good nor 3 bad calls in a row within 300ms \(deadlines.probe\): \d+ of \d+ calls failed; the last failure: TypeError: card is undefined$/,
    );
  });

  test.each([1, 3])(
    'gives a cold release the verdict of a warm one: its first call may be slow (smoke: %d)',
    async (smoked) => {
      const probe = { ...one, smoke: smoked };
      expect(await smoke(answering(late, good), [probe])).toMatchObject({
        passed: true,
        lines: [`one: ${smoked} of ${smoked} passed, slowest 1 ms; its first call started it and took 4500 ms`],
      });
      expect(await smoke(answering(late, bad), [probe])).toMatchObject({ passed: false });
    },
  );

  test('waits longer for the first call than for any other, so that no second instance has to start', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) =>
      driver.calls[version] === 1
        ? new Promise((resolve) => setTimeout(() => resolve(answered(version, { latencyMs: 400 })), 400))
        : answered(version);
    expect(await smoke(driver, [{ ...one, latency: 100 }])).toMatchObject({ passed: true });
    expect(driver.calls).toEqual({ 7: 4 });
  });

  test('counts a slow first call with a wrong answer, and every later slow call', async () => {
    const wrong = { ...bad, latencyMs: 4_500 };
    const driver = answering(wrong, bad);
    expect(await smoke(driver, [one])).toMatchObject({ passed: false });
    expect(driver.calls).toEqual({ 7: 3 });
    expect(await smoke(answering(late, late), [one])).toMatchObject({
      passed: false,
      why: 'probe one of version 7: 3 calls in a row failed: took 4500 ms, limit 1000 ms',
    });
  });

  test('does not wait for a slow probe once another one has failed', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) =>
      driver.calls[version] === 1 ? new Promise(() => {}) : failedWith(version, 'TypeError', 'no');
    const report = await smoke(driver, [{ ...one, latency: 60_000 }, two]);
    expect(report.passed).toBe(false);
    expect(report.lines).toEqual(['one: not finished', 'two: 2 calls in a row failed: TypeError: no']);
  });

  test('throws if a call cannot be made, so that it is retried', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => Promise.reject(new SluiceError('SLUICE_BUSY', 'throttled'));
    await expect(smoke(driver)).rejects.toMatchObject({ code: 'SLUICE_BUSY' });
  });

  test('throws an AbortError when cancelled', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => new Promise(() => {});
    const stop = new AbortController();
    const result = smoke(driver, [{ ...one, latency: 60_000 }], { ctx: calm(stop.signal) });
    stop.abort();
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
  });
});
