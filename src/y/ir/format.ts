/** Format strings, parsed. */

/** A parsed format string. `size` cuts an integer to the bytes that the conversion's length modifier names. */
export interface Format {
  readonly pieces: readonly FormatPiece[];
}

export type FormatPiece =
  | { readonly text: string }
  | {
      readonly verb: 'd' | 'u' | 'x' | 'X' | 'o' | 'c' | 's' | 'p' | 'e' | 'f' | 'g';
      readonly size: 1 | 2 | 4 | 8;
      readonly minus: boolean;
      readonly plus: boolean;
      readonly space: boolean;
      readonly zero: boolean;
      readonly alternate: boolean;
      readonly width: number | undefined;
      readonly precision: number | undefined;
      /** Of a text under `s`: written as a JSON string with its quotes, or as two hexadecimal digits a byte. */
      readonly encoding?: 'json' | 'hex' | undefined;
    };
