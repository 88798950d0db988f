/** Emulated AWS: CloudWatch Logs, with the reports that Lambda writes after each call. */
import { randomBytes } from 'node:crypto';
import { type Answer, parse, type Upstream } from '../http.js';
import type { Invocation } from './metrics.js';
import { type Configuration, key, type Store, signed, type Where } from './store.js';

/** A log stream of one version. */
interface Stream {
  where: Where;
  group: string;
  name: string;
}

interface LogEvent {
  timestamp: number;
  message: string;
}

/**
 * Writes what Lambda logs after each invocation of a function whose LogFormat is JSON: a line of type `platform.report`.
 * (The server writes the plain START, END and REPORT lines, whatever the format.) Sources: "Configuring JSON and plain text
 * log formats", "Lambda Telemetry API Event schema reference" (platform.report, Status), "Configuring CloudWatch log
 * groups" (the name of a stream).
 */
export class Reports {
  readonly #streams = new Map<string, Stream>();
  #waiting: Invocation[] = [];
  #writing: Promise<void> | null = null;

  constructor(
    readonly upstream: Upstream,
    readonly store: Store,
  ) {}

  /** What ends while a write is on its way goes out with the next one. */
  add(invocation: Invocation): void {
    if (invocation.requestId === undefined) return;
    this.#waiting.push(invocation);
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
  }

  /** Resolves when all that was added is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const ended = this.#waiting;
      this.#waiting = [];
      const byStream = new Map<Stream, LogEvent[]>();
      for (const invocation of ended) {
        // A function may be deleted by now, as may be the server; then nobody asks for its log.
        const found = await this.#eventOf(invocation).catch(() => null);
        if (found !== null) byStream.set(found.stream, [...(byStream.get(found.stream) ?? []), found.event]);
      }
      for (const [stream, events] of byStream) await this.#put(stream, events).catch(() => undefined);
    }
  }

  async #eventOf(invocation: Invocation): Promise<{ stream: Stream; event: LogEvent } | null> {
    const { where, version, at, duration } = invocation;
    const configuration = await this.store.configurationForInvoke(where, version);
    const { LogFormat, LogGroup } = configuration.LoggingConfig ?? {};
    if (LogFormat !== 'JSON') return null;
    const timestamp = at + duration;
    const stream = await this.#stream(where, version, timestamp, LogGroup);
    return { stream, event: { timestamp, message: JSON.stringify(report(invocation, timestamp, configuration)) } };
  }

  async #put({ where, group, name }: Stream, events: LogEvent[]): Promise<void> {
    await this.#call(where, 'PutLogEvents', {
      logGroupName: group,
      logStreamName: name,
      logEvents: events.sort((a, b) => a.timestamp - b.timestamp),
    });
  }

  async #stream(where: Where, version: string, at: number, custom: string | undefined): Promise<Stream> {
    const own = `/aws/lambda/${where.function}`;
    const group = custom ?? own;
    const day = new Date(at).toISOString().slice(0, 10).replaceAll('-', '/');
    const id = `${key(where)} ${group} ${day} ${version}`;
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const name = `${day}/${group === own ? '' : where.function}[${version}]${randomBytes(16).toString('hex')}`;
    const stream = { where, group, name };
    // Either may be there already, which is as good.
    await this.#call(where, 'CreateLogGroup', { logGroupName: group });
    await this.#call(where, 'CreateLogStream', { logGroupName: group, logStreamName: name });
    this.#streams.set(id, stream);
    return stream;
  }

  #call(where: Where, operation: string, input: unknown): Promise<Answer> {
    return this.upstream.call({
      method: 'POST',
      path: '/',
      headers: {
        ...signed(where, 'logs'),
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `Logs_20140328.${operation}`,
      },
      body: Buffer.from(JSON.stringify(input)),
    });
  }
}

function report(
  { requestId, duration, outcome, timedOut }: Invocation,
  timestamp: number,
  { MemorySize = 128 }: Configuration,
): Record<string, unknown> {
  return {
    time: new Date(timestamp).toISOString(),
    type: 'platform.report',
    record: {
      requestId,
      metrics: {
        durationMs: duration,
        billedDurationMs: Math.ceil(duration),
        memorySizeMB: MemorySize,
        maxMemoryUsedMB: MemorySize,
      },
      status: timedOut === true ? 'timeout' : outcome === 'error' ? 'error' : 'success',
    },
  };
}

/** Whether the answer of a failed invocation says that its time was over. */
export function isTimeout(answer: Answer): boolean {
  return String(parse(answer.body).errorMessage ?? '').includes('Task timed out after');
}
