/** A real exporter: a small HTTP server with counters in Prometheus' text format. */
import { serve, type TestServer } from '../health/server.js';

export class Exporter {
  readonly counters = new Map<string, number>();
  /** A broken exporter answers 500. */
  broken = false;

  private constructor(private server: TestServer | null) {}

  static async start(): Promise<Exporter> {
    const exporter = new Exporter(null);
    exporter.server = await serve((_, response) => {
      response.writeHead(exporter.broken ? 500 : 200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end([...exporter.counters].map(([series, value]) => `${series} ${value}\n`).join(''));
    });
    return exporter;
  }

  get address(): string {
    return new URL(this.server?.url ?? '').host;
  }

  add(series: string, more: number): void {
    this.counters.set(series, (this.counters.get(series) ?? 0) + more);
  }

  async stop(): Promise<void> {
    await this.server?.close();
  }
}
