/** Requests that were our own probes, by the platform's ids, so that a source that sees all requests can leave them out. */

/** Ids remembered: more than all probes of a watcher can send (20 a second each) within a source's watermark. */
const MOST = 50_000;

export class OwnRequests {
  private readonly ids = new Set<string>();

  add(id: string): void {
    this.ids.add(id);
    if (this.ids.size <= MOST) return;
    const [oldest] = this.ids;
    if (oldest !== undefined) this.ids.delete(oldest);
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }
}
