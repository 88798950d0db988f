/** What is wrong at a place below the field that was checked; an empty path: with the field as a whole. */
export interface Fault {
  path: (string | number)[];
  message: string;
}
