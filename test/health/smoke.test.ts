import { describe, expect, test } from '@jest/globals';
import { runSmoke } from '../../activities/health/smoke.js';
import { SluiceError } from '../../src/model/errors.js';
import { outsideFor } from '../support/outside.js';
import { answered, calm, FunctionDouble, failedWith, probeSpec, specWith } from './double.js';

const one = probeSpec({ name: 'one' });
const two = probeSpec({ name: 'two', smoke: 2 });

function smoke(driver: FunctionDouble, probes = [one, two], ctx = calm()) {
  return runSmoke({ spec: specWith(probes), version: '7', probes }, { driver, ctx, outside: outsideFor() });
}

describe('a smoke test', () => {
  test('passes when each probe succeeds as often as it says', async () => {
    const driver = new FunctionDouble();
    expect(await smoke(driver)).toEqual({
      passed: true,
      lines: ['one: 3 of 3 passed, slowest 1 ms', 'two: 2 of 2 passed, slowest 1 ms'],
    });
    expect(driver.calls).toEqual({ 7: 5 });
  });

  test('fails at the first failing call, with the reason in full', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) =>
      driver.calls[version] === 2 ? failedWith(version, 'TypeError', 'card is undefined') : answered(version);
    expect(await smoke(driver, [one])).toEqual({
      passed: false,
      lines: ['one: call 2 of 3 failed: TypeError: card is undefined'],
      why: 'probe one of version 7: call 2 of 3 failed: TypeError: card is undefined',
    });
    expect(driver.calls).toEqual({ 7: 2 });
  });

  test('does not wait for a slow probe when another one has failed', async () => {
    const driver = new FunctionDouble();
    driver.answer = (version) =>
      driver.calls[version] === 1 ? new Promise(() => {}) : failedWith(version, 'TypeError', 'no');
    const report = await smoke(driver, [{ ...one, latency: 60_000 }, two]);
    expect(report.passed).toBe(false);
    expect(report.lines).toEqual(['one: not finished', 'two: call 1 of 2 failed: TypeError: no']);
  });

  test('throws when a call cannot be made, so that it is tried again', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => Promise.reject(new SluiceError('SLUICE_BUSY', 'throttled'));
    await expect(smoke(driver)).rejects.toMatchObject({ code: 'SLUICE_BUSY' });
  });

  test('throws an AbortError when cancelled', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => new Promise(() => {});
    const stop = new AbortController();
    const result = smoke(driver, [{ ...one, latency: 60_000 }], calm(stop.signal));
    stop.abort();
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
  });
});
