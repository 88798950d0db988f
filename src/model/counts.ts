/** Requests of one release, and those of them that went wrong. */
export interface Counts {
  requests: number;
  errors: number;
  /** Answers slower than their limit, failed ones too; absent where nobody measures it. */
  slow?: number;
}
