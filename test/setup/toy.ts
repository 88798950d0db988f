/** Something new that is added to a copied tree: which files of the project it touches, and which ones the compiler refuses until then. */
import { CopiedTree } from './copied-tree.js';

export class Toy {
  private readonly tree: CopiedTree;
  private readonly edited = new Set<string>();

  constructor(name: string) {
    this.tree = CopiedTree.make(name);
  }

  /** A file of its own. */
  write(file: string, text: string): void {
    this.tree.write(file, text);
  }

  /** Puts `more` before the one place where `before` stands. */
  insert(file: string, before: string, more: string): void {
    this.tree.edit({ file, changes: [[before, `${more}${before}`]] });
    this.edited.add(file);
  }

  /** Files of the project that were touched. */
  touched(): string[] {
    return [...this.edited].sort();
  }

  /** Files that the compiler refuses. */
  refused(): string[] {
    return [...new Set(this.tree.errors().map((error) => error.slice(0, error.indexOf(':'))))].sort();
  }

  remove(): void {
    this.tree.remove();
  }
}
