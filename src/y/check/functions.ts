/**
 * Functions of the script. A pointer parameter whose type does not say which memory it points into takes the memory of the
 * argument: the body is checked once for each combination that is called.
 */
import { strip } from '../../ctypes/index.ts';
import type { Space } from '../ir/program.ts';
import type { CallExpression, FunctionDeclaration, TypeNode } from '../syntax/index.ts';

import { assignTo, decay, showType } from './convert.ts';
import { resolveType, variableType } from './resolve-type.ts';
import {
  type CheckState,
  broken,
  checkBlock,
  checkExpression,
  declareName,
  newFunctionState,
  newLocal,
  newScope,
  place,
  report,
} from './state.ts';
import type { Expression } from './typed.ts';
import { ERROR, VOID, type YType } from './ytype.ts';

/** A parameter's or result's type, with pointers of open space in `space`. */
function typeOf(c: CheckState, node: TypeNode, space: Space): { readonly type: YType; readonly open: boolean } {
  const resolved = resolveType(c, node, space);
  if (resolved.kind === 'c' && strip(resolved.type).kind === 'void') return { type: VOID, open: false };
  const array = resolved.kind === 'c' ? strip(resolved.type) : undefined;
  // C: an array parameter is a pointer.
  if (resolved.kind === 'c' && array?.kind === 'array') {
    return { type: { kind: 'pointer', space: resolved.space ?? space, target: array.element }, open: resolved.space === undefined };
  }
  const type = variableType(c, resolved, space, node.span);
  const open = type.kind === 'pointer' && resolved.kind === 'c' && resolved.space === undefined;
  if (type.kind === 'struct' || type.kind === 'aggregate') {
    report(
      c,
      'bad-parameter',
      node.span,
      `a function cannot take or give \`${showType(type)}\``,
      'pass its fields, or a pointer to it in the target',
    );
    return { type: ERROR, open: false };
  }
  return { type, open };
}

/** A call: arguments converted, the function's body checked for these memory spaces. */
export function callFunction(c: CheckState, declaration: FunctionDeclaration, node: CallExpression): Expression {
  const values = node.arguments.map((argument) => ({ value: decay(checkExpression(c, argument)), span: argument.span }));
  const { parameters } = declaration.type;
  const name = declaration.name.text;
  const wanted = isVoidList(declaration) ? 0 : parameters.length;
  if (values.length !== wanted) {
    report(
      c,
      'argument-count',
      node.span,
      `\`${name}\` takes ${wanted} ${wanted === 1 ? 'argument' : 'arguments'}, and ${values.length} ${values.length === 1 ? 'is' : 'are'} given`,
    );
    return broken(node.span);
  }
  const spaces = values.map(({ value }): Space => (value.type.kind === 'pointer' && value.type.space === 'kernel' ? 'kernel' : 'user'));
  const instance = makeInstance(c, declaration, spaces);
  const converted = values.map(({ value, span }, index) => {
    const shown = parameters[index]!.name?.text;
    return assignTo(c, value, instance.parameters[index]!, {
      name: shown === undefined ? `argument ${index + 1} of \`${name}\`` : `\`${shown}\` of \`${name}\``,
      span,
    });
  });
  c.fn?.calls.add(instance.index);
  if (converted.some((value) => value.type.kind === 'error')) return broken(node.span);
  return { kind: 'call', function: instance.index, arguments: converted, type: instance.result, at: place(node.span) };
}

function isVoidList({ type }: FunctionDeclaration): boolean {
  const [only] = type.parameters;
  return type.parameters.length === 1 && only?.name === undefined && only?.type?.kind === 'basic' && only.type.name === 'void';
}

type Instance = CheckState['instances'] extends Map<string, infer T> ? T : never;

/** The function for arguments in these memory spaces, made on first use. */
export function makeInstance(c: CheckState, declaration: FunctionDeclaration, spaces: readonly Space[]): Instance {
  const outer = { scope: c.scope, fn: c.fn };
  c.scope = c.top;
  c.fn = undefined;
  try {
    const nodes = isVoidList(declaration) ? [] : declaration.type.parameters;
    const typed = nodes.map((node, index) =>
      node.type === undefined ? { type: ERROR, open: false } : typeOf(c, node.type, spaces[index] ?? 'user'),
    );
    const firstPointer = typed.findIndex(({ type }) => type.kind === 'pointer');
    const resultSpace: Space =
      firstPointer >= 0 && typed[firstPointer]!.type.kind === 'pointer' ? (typed[firstPointer]!.type as { space: Space }).space : 'user';
    const result = typeOf(c, declaration.type.result, resultSpace).type;
    const key = `${declaration.name.text}(${typed.map(({ open }, index) => (open ? (spaces[index] ?? 'user') : '')).join()})`;
    const known = c.instances.get(key);
    if (known !== undefined) return known;
    const parameters = typed.map(({ type }) => type);
    const instance = { index: c.functions.push(undefined) - 1, result, parameters };
    c.needs.push({ needs: [], calls: new Set() });
    c.instances.set(key, instance);
    checkBody(c, declaration, instance);
    return instance;
  } finally {
    c.scope = outer.scope;
    c.fn = outer.fn;
  }
}

function checkBody(c: CheckState, declaration: FunctionDeclaration, { index, result, parameters }: Instance): void {
  const { body, name } = declaration;
  if (body === undefined) {
    report(c, 'no-body', name.span, `\`${name.text}\` is declared and never defined`, 'give it a body');
    return;
  }
  const fn = newFunctionState(name.text, { result });
  c.fn = fn;
  c.scope = newScope(c.top);
  parameters.forEach((type, position) => {
    const node = declaration.type.parameters[position]!;
    const local = newLocal(c, node.name?.text ?? '', type);
    if (node.name !== undefined)
      declareName(c, node.name.text, node.span, type.kind === 'error' ? { kind: 'broken' } : { kind: 'local', local, type });
  });
  const statements = checkBlock(c, body);
  c.needs[index] = { needs: fn.needs, calls: fn.calls };
  c.functions[index] = {
    name: name.text,
    result,
    locals: fn.locals,
    parameters: parameters.length,
    iterators: fn.iterators,
    body: statements,
    place: place(name.span),
  };
}

/** Checks a function that nobody called, so that its mistakes are seen. */
export function checkUncalled(c: CheckState, declaration: FunctionDeclaration): void {
  if (declaration.body === undefined) return;
  const prefix = `${declaration.name.text}(`;
  if (![...c.instances.keys()].some((key) => key.startsWith(prefix))) makeInstance(c, declaration, []);
}
