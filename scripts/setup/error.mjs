/** Something a person has to do: the message says what was tried and what to do next. Shown without a stack. */
export class SetupError extends Error {
  name = 'SetupError';
}
