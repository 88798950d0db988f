/** Emulated Azure: the log of writes to the control plane and to Kudu. */
import { type Answer, parse } from '../http.js';
import { Log } from '../log.js';
import { type Rule, releaseIn, rulesOf, type Site } from './model.js';

/** One write to the control plane or to Kudu, refused ones too, in the order in which they took effect. */
export interface Write {
  /** From 1, in the order of effect. */
  seq: number;
  /** When it was answered, ms since the epoch. */
  time: number;
  operation: string;
  site: string;
  slot: string | null;
  status: number;
  /** Code and sentence, when refused. */
  error: string | null;
  /** The site when it was answered: the tag with the mark, the routing rules, and the releases by the settings. */
  mark: string;
  rules: Rule[];
  production: string | null;
  slots: Record<string, string | null>;
}

/** Values of settings are not in it. */
export class WriteLog extends Log<Write> {
  /** Notes an answered write with what its site is at; `site` undefined: there is none. */
  add(
    operation: string,
    { site: name, slot, answer }: { site: string; slot: string | null; answer: Answer },
    site: Site | undefined,
  ): Write {
    const said = answer.status < 300 ? null : parse(answer.body);
    const inner = (said?.error ?? said) as { code?: string; Code?: string; message?: string; Message?: string } | null;
    return this.append({
      operation,
      site: name,
      slot,
      status: answer.status,
      error: inner === null ? null : `${inner.code ?? inner.Code ?? ''}: ${inner.message ?? inner.Message ?? ''}`,
      mark: site?.tags.sluice ?? '',
      rules: site === undefined ? [] : structuredClone(rulesOf(site)),
      production: site === undefined ? null : releaseIn(site.production),
      slots: Object.fromEntries((site?.slots ?? []).map((each) => [each.name ?? '', releaseIn(each)])),
    });
  }
}
