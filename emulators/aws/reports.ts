import { randomBytes } from 'node:crypto';
import { type Answer, parse, type Upstream } from './http.js';
import type { Invocation } from './metrics.js';
import { type Configuration, key, type Store, signed, type Where } from './store.js';

/** A log stream of one version. */
interface Stream {
  where: Where;
  group: string;
  name: string;
}

/**
 * Writes what Lambda logs after each invocation of a function whose LogFormat is JSON: a line of type `platform.report`.
 * (The server writes the plain START, END and REPORT lines, whatever the format.) Sources: "Configuring JSON and plain text
 * log formats", "Lambda Telemetry API Event schema reference" (platform.report, Status), "Configuring CloudWatch log
 * groups" (the name of a stream).
 */
export class Reports {
  readonly #streams = new Map<string, Stream>();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    readonly upstream: Upstream,
    readonly store: Store,
  ) {}

  add(invocation: Invocation): void {
    const { requestId } = invocation;
    if (requestId === undefined) return;
    this.#writing = this.#writing.then(() => this.#write(invocation, requestId)).catch(() => undefined);
  }

  /** Resolves when all that was added is written. */
  close(): Promise<void> {
    return this.#writing;
  }

  async #write(invocation: Invocation, requestId: string): Promise<void> {
    const { where, version, at, duration } = invocation;
    const configuration = await this.store.configurationForInvoke(where, version);
    const { LogFormat, LogGroup } = configuration.LoggingConfig ?? {};
    if (LogFormat !== 'JSON') return;
    const timestamp = at + duration;
    const stream = await this.#stream(where, version, timestamp, LogGroup);
    const message = JSON.stringify(report(invocation, requestId, timestamp, configuration));
    await this.#call(stream.where, 'PutLogEvents', {
      logGroupName: stream.group,
      logStreamName: stream.name,
      logEvents: [{ timestamp, message }],
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
  { duration, outcome, timedOut }: Invocation,
  requestId: string,
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
