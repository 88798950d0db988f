/** Who a policy knows: people, and programs that act for them. */

/** Who said something, as the policy knows him. */
export interface Subject {
  name: string;
  groups: string[];
  /** A program, and no person: only a list that names it means it. */
  robot?: true;
}
