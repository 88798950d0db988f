/** The ways to show a rollout that is being followed. */
import type { AppEnvironment, Snapshot } from '../client/types.js';
import { needsPerson } from '../model/until.js';
import type { RolloutView } from '../model/view.js';
import type { Context, Sink } from './command.js';
import { frameOf, mayRedraw, printJson } from './print.js';
import { renderLine } from './render/line.js';
import { paint, piece } from './render/pieces.js';
import { stamp } from './render/time.js';
import { renderView } from './render/view.js';
import { callLines } from './render/waiting.js';
import { packageVersion } from './version.js';

/** Milliseconds between two redraws: at most four per second. */
const REDRAW = 250;
/** Milliseconds of silence after which a log gets a line anyway; CI systems end silent jobs. */
const HEARTBEAT = 30_000;
/** Version of the JSON stream; adding a field does not change it. */
const STREAM_VERSION = 1;

export interface Display {
  show(snapshot: Snapshot): void;
  /** No more snapshots follow. */
  end(): void;
  /** The result, for stdout. */
  summary(view: RolloutView): string[];
}

export async function displayFor(ctx: Context, as: 'watch' | 'wait', target: AppEnvironment): Promise<Display> {
  if (as === 'watch' && ctx.json) return jsonDisplay(ctx);
  if (as === 'watch' && mayRedraw(ctx)) return liveDisplay(ctx, target);
  return logDisplay(ctx, as === 'watch' ? ctx.stdout : ctx.stderr, target);
}

/** For a terminal: redrawn in place. */
async function liveDisplay(ctx: Context, target: AppEnvironment): Promise<Display> {
  const { createLogUpdate } = await import('log-update');
  const draw = createLogUpdate(ctx.stdout as unknown as NodeJS.WritableStream, { showCursor: true });
  let drawnAt = Number.NEGATIVE_INFINITY;
  let pending: Snapshot | null = null;
  const paintNow = (snapshot: Snapshot, whole: boolean): void => {
    drawnAt = ctx.now();
    pending = null;
    draw(pictureOf(ctx, snapshot, target, whole).join('\n'));
  };
  return {
    show(snapshot) {
      pending = snapshot;
      if (snapshot.ended || ctx.now() - drawnAt >= REDRAW) paintNow(snapshot, true);
    },
    end() {
      if (pending !== null) paintNow(pending, true);
      draw.done();
    },
    summary: (view) => renderView(view, frameOf(ctx)),
  };
}

function pictureOf(ctx: Context, snapshot: Snapshot, target: AppEnvironment, redrawn: boolean): string[] {
  const frame = frameOf(ctx, redrawn);
  if (snapshot.view !== null) return renderView(snapshot.view, frame, snapshot.trouble);
  return [paint([piece(waitingText(target, snapshot), 'yellow')], frame.colour)];
}

function waitingText(target: AppEnvironment, snapshot: Snapshot): string {
  return snapshot.trouble ?? `waiting for a rollout of ${target.app}/${target.environment} to start`;
}

/** For a log: one timestamped line per change, and a heartbeat. */
function logDisplay(ctx: Context, sink: Sink, target: AppEnvironment): Display {
  let lastKey = '';
  let lastAt = ctx.now();
  let lastCall = '';
  const line = (text: string): void => {
    sink.write(`${text}\n`);
    lastAt = ctx.now();
  };
  return {
    show(snapshot) {
      const now = ctx.now();
      const { view, trouble } = snapshot;
      const key = view === null || trouble !== null ? waitingText(target, snapshot) : changeKey(view);
      const beat = key === lastKey && now - lastAt >= HEARTBEAT;
      if (key === lastKey && !beat) return;
      lastKey = key;
      if (view === null || trouble !== null) {
        line(
          paint([piece(`${stamp(now)} ${target.app}/${target.environment} ${waitingText(target, snapshot)}`)], false),
        );
        return;
      }
      line(renderLine(view, now, beat));
      const call = needsPerson(view) ? `${view.phase} ${view.waitingFor?.what} ${view.reason}` : '';
      // Once per wait: in the log of a job that stands still, the reason has to be easy to find.
      if (call !== '' && call !== lastCall) {
        for (const each of callLines(view, now)) ctx.stderr.write(`${paint(each, ctx.colour)}\n`);
      }
      lastCall = call;
    },
    end: () => undefined,
    summary: (view) => renderView(view, frameOf(ctx)),
  };
}

/** What makes a change worth a line. */
function changeKey(view: RolloutView): string {
  const { phase, outcome, weight, reason, stages } = view;
  return JSON.stringify([
    phase,
    outcome,
    weight,
    reason,
    stages.map(({ state, current, until }) => [state, current, until]),
  ]);
}

/** For a program: JSON, one message per line, first the version, then views. */
function jsonDisplay(ctx: Context): Display {
  let lastKey = '';
  printJson(ctx, { type: 'version', version: STREAM_VERSION, sluice: packageVersion() });
  return {
    show({ view, trouble }) {
      const key = JSON.stringify([view, trouble]);
      if (key === lastKey) return;
      lastKey = key;
      if (trouble !== null) printJson(ctx, { type: 'trouble', at: ctx.now(), message: trouble });
      else if (view !== null) printJson(ctx, { type: 'view', at: ctx.now(), view });
    },
    end: () => undefined,
    summary: () => [],
  };
}
