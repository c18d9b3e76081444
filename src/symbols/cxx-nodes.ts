import type { CxxReader } from './cxx-reader.ts';
import { NotMangled } from './not-mangled.ts';

/** What a mangled C++ name is made of. Types print around a declarator (`int (*)(char)`), so nodes are printed late: see cxx-print.ts. */
export type CxxNode =
  /** Text that stands as it is: names, builtin types, literals. `simple` ones need no brackets as operands. */
  | { readonly kind: 'text'; readonly text: string; readonly simple?: boolean }
  /** Parts printed one after the other: expressions. */
  | { readonly kind: 'parts'; readonly parts: readonly (string | CxxNode)[] }
  /** An operand: in brackets unless it is simple. */
  | { readonly kind: 'operand'; readonly node: CxxNode }
  /** Printed one after the other with commas; empty ones leave no comma. */
  | { readonly kind: 'list'; readonly items: readonly CxxNode[] }
  | { readonly kind: 'nested'; readonly scope: CxxNode; readonly name: CxxNode }
  | { readonly kind: 'template'; readonly name: CxxNode; readonly args: readonly CxxNode[] }
  | { readonly kind: 'constructor'; readonly name: string; readonly destructor: boolean }
  /** `operator T`: its type may use template arguments that follow it. */
  | { readonly kind: 'conversion'; readonly type: CxxNode }
  | { readonly kind: 'tagged'; readonly name: CxxNode; readonly tag: string }
  | { readonly kind: 'pack'; readonly items: readonly CxxNode[] }
  | { readonly kind: 'expansion'; readonly pattern: CxxNode }
  /** A template parameter; what it stands for may be known only later. */
  | CxxParameter
  | { readonly kind: 'pointer'; readonly to: CxxNode; readonly mark: '*' | '&' | '&&' }
  | { readonly kind: 'member-pointer'; readonly scope: CxxNode; readonly to: CxxNode }
  | { readonly kind: 'qualified'; readonly type: CxxNode; readonly qualifiers: string }
  | { readonly kind: 'array'; readonly of: CxxNode; readonly size: CxxNode | undefined }
  | CxxFunction
  /** A function or variable: name, and for functions what it takes. */
  | { readonly kind: 'encoding'; readonly name: CxxNode; readonly type: CxxFunction };

export interface CxxParameter {
  readonly kind: 'parameter';
  /** From 0. */
  readonly index: number;
  /** Printed while it stands for nothing, and in the signature of a generic lambda. */
  readonly text: string;
  target: CxxNode | undefined;
}

export interface CxxFunction {
  readonly kind: 'function';
  readonly result: CxxNode | undefined;
  readonly parameters: readonly CxxNode[];
  /** ` const`, ` &`, ` noexcept`, … after the parameters. */
  readonly suffix: string;
}

/** Text that stands as it is. */
export function text(value: string, simple = false): CxxNode {
  return { kind: 'text', text: value, simple };
}

/** What reading an expression needs of the parser around it. */
export interface CxxExpressions {
  readonly reader: CxxReader;
  deeper<T>(read: () => T): T;
  type(): CxxNode;
  templateParameter(): CxxNode;
  separateEncoding(): CxxNode;
  unqualifiedName(scope: CxxNode | undefined): CxxNode;
  templateArgs(replaces: boolean): CxxNode[];
}

/** Follows parameters to what they stand for. */
export function resolved(node: CxxNode): CxxNode {
  let at = node;
  for (let i = 0; at.kind === 'parameter' && at.target !== undefined; i++) {
    if (i > 64) throw new NotMangled('a template parameter stands for itself');
    at = at.target;
  }
  return at;
}
