/**
 * Plants mutants into the text of one source file. Each is one small fault, such as a check that is gone. All of them stand in
 * the planted text at once, asleep: `globalThis.sluiceMutant(id)` says which one is awake, so that nothing is compiled twice.
 */
import ts from 'typescript';

export interface Mutant {
  id: number;
  /** The file, from the root of the project. */
  file: string;
  line: number;
  column: number;
  /** What was done, in a word or two. */
  kind: string;
  /** The text before and after, on one line. */
  from: string;
  to: string;
}

export interface Planted {
  text: string;
  mutants: Mutant[];
}

/** One fault at a place: what stands there instead. */
interface Fault {
  kind: string;
  to: string;
}

/** Calls that only narrow or check what they are called on: without them stands the receiver. */
const NARROWING = new Set([
  ...['filter', 'slice', 'trim', 'toLowerCase', 'max', 'min', 'regex', 'refine', 'int'],
  ...['setIssuer', 'setSubject', 'setAudience', 'setIssuedAt', 'setExpirationTime', 'setJti'],
]);
const TWINS = new Map([
  ['some', 'every'],
  ['every', 'some'],
]);
const BOUNDARY = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
]);
const EQUALITY = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
]);
const LOGICAL = new Set([ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken]);

/** The text with every mutant asleep in it. Ids begin with `first`. */
export function plant(file: string, text: string, first = 1): Planted {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];

  const emit = (node: ts.Node): string => {
    if (isOutside(node)) return text.slice(node.pos, node.end);
    // Ids go by place: a node's own come before those inside it.
    const own = faultsOf(node).map((fault) => {
      const { line, character } = source.getLineAndCharacterOfPosition(node.getStart());
      const at = { id: first + mutants.length, file, line: line + 1, column: character + 1 };
      mutants.push({ ...at, kind: fault.kind, from: oneLine(node.getText()), to: oneLine(fault.to) });
      return { id: at.id, to: fault.to };
    });
    let inner = '';
    let at = node.pos;
    ts.forEachChild(node, (child) => {
      inner += text.slice(at, child.pos) + emit(child);
      at = child.end;
    });
    inner += text.slice(at, node.end);
    if (own.length === 0) return inner;
    const choices = own.map(({ id, to }) => `globalThis.sluiceMutant(${id}) ? (${to}) : `).join('');
    // A comment on a line of its own before the node must not swallow the parenthesis.
    const lead = text.slice(node.pos, node.getStart());
    return `${lead}(${choices}(${inner.slice(lead.length)}))`;
  };

  return { text: emit(source), mutants };
}

/** What does not run: types, imports, what is exported from elsewhere. */
function isOutside(node: ts.Node): boolean {
  return (
    ts.isTypeNode(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node)
  );
}

function faultsOf(node: ts.Node): Fault[] {
  if (!ts.isExpression(node) || isInChain(node)) return [];
  const faults = [...ofCondition(node), ...ofOperator(node), ...ofLiteral(node), ...ofCall(node)];
  if (isAnswer(node)) faults.push(...['true', 'false'].filter((to) => to !== node.getText()).map(kind('answer')));
  const { parent } = node;
  if (ts.isArrayLiteralExpression(node)) faults.push(...withoutEach(node.elements, ts.isStringLiteral, '[', ']'));
  // Of a shape that is declared once, the compiler misses what is taken out.
  if (ts.isObjectLiteralExpression(node) && ts.isCallExpression(parent) && isInFunction(node))
    faults.push(...withoutEach(node.properties, () => true, '{', '}'));
  return unique(faults, node.getText());
}

function kind(name: string): (to: string) => Fault {
  return (to) => ({ kind: name, to });
}

/** The condition of an if or of a choice. */
function ofCondition(node: ts.Expression): Fault[] {
  const { parent } = node;
  if (ts.isIfStatement(parent) && parent.expression === node) return [{ kind: 'no if', to: 'false' }];
  if (ts.isConditionalExpression(parent) && parent.condition === node) return ['true', 'false'].map(kind('choice'));
  return [];
}

function ofOperator(node: ts.Expression): Fault[] {
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [{ kind: 'no !', to: node.operand.getText() }];
  }
  if (!ts.isBinaryExpression(node)) return [];
  const [left, right] = [node.left.getText(), node.right.getText()];
  const operator = node.operatorToken.kind;
  if (LOGICAL.has(operator)) return [right, left].map(kind('operand gone'));
  const boundary = BOUNDARY.get(operator);
  return boundary === undefined ? [] : [{ kind: 'boundary', to: `${left} ${boundary} ${right}` }];
}

function ofLiteral(node: ts.Expression): Fault[] {
  if (ts.isNumericLiteral(node)) return numbers(node);
  if (!ts.isRegularExpressionLiteral(node)) return [];
  const [, body = '', flags = ''] = /^\/(.*)\/(\w*)$/s.exec(node.getText()) ?? [];
  const open = [body.replace(/^\^/, ''), body.replace(/(?<!\\)\$$/, '')].filter((each) => each !== body && each !== '');
  return open.map((each) => ({ kind: 'anchor gone', to: `/${each}/${flags}` }));
}

function numbers(node: ts.NumericLiteral): Fault[] {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return [];
  // The whole call goes.
  if (ts.isCallExpression(parent) && ofCall(parent).some(({ kind }) => kind.startsWith('no '))) return [];
  // How long a stranger's text may be in a message.
  if (ts.isCallExpression(parent) && parent.expression.getText() === 'clean') return [];
  const value = Number(node.text);
  const other = Number.isInteger(value) ? value + 1 : value * 1.1;
  return [{ kind: 'number', to: String(other) }];
}

function ofCall(node: ts.Expression): Fault[] {
  const { parent } = node;
  if (ts.isExpressionStatement(parent)) {
    const inner = ts.isAwaitExpression(node) ? node.expression : node;
    return ts.isCallExpression(inner) && inner.expression.kind !== ts.SyntaxKind.SuperKeyword
      ? [{ kind: 'call gone', to: 'undefined' }]
      : [];
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return [];
  const { expression: receiver, name } = node.expression;
  const on = receiver.getText();
  const given = node.arguments.map((each) => each.getText());
  if (on === 'Math') {
    if (!['max', 'min'].includes(name.text) || given.length < 2) return [];
    return given.map((_, at) => ({
      kind: 'argument gone',
      to: `Math.${name.text}(${given.filter((_each, other) => other !== at).join(', ')})`,
    }));
  }
  // Within a chain of ?. there is nothing to stand in its place.
  if (ts.isOptionalChain(node)) return [];
  const twin = TWINS.get(name.text);
  if (twin !== undefined) return [{ kind: twin, to: `${on}.${twin}(${given.join(', ')})` }];
  return NARROWING.has(name.text) ? [{ kind: `no ${name.text}`, to: on }] : [];
}

/** A chain of ?. ends as a whole: a part of it cannot be put into parentheses. */
function isInChain(node: ts.Expression): boolean {
  const { parent } = node;
  return ts.isOptionalChain(parent) && (parent as ts.PropertyAccessExpression).expression === node;
}

function isInFunction(node: ts.Node): boolean {
  return ts.findAncestor(node, ts.isFunctionLike) !== undefined;
}

/** Something true or false that is answered, passed on or kept. */
function isAnswer(node: ts.Expression): boolean {
  const { parent } = node;
  const handed =
    ts.isReturnStatement(parent) ||
    ts.isArrowFunction(parent) ||
    ts.isVariableDeclaration(parent) ||
    (ts.isPropertyAssignment(parent) && parent.initializer === node) ||
    (ts.isCallExpression(parent) && parent.expression !== node);
  return handed && isTruth(node);
}

function isTruth(node: ts.Expression): boolean {
  if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) return true;
  if (ts.isParenthesizedExpression(node)) return isTruth(node.expression);
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.ExclamationToken;
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    return ['some', 'every', 'includes', 'has', 'test', 'hasOwn'].includes(node.expression.name.text);
  }
  if (!ts.isBinaryExpression(node)) return false;
  const { kind: operator } = node.operatorToken;
  if (LOGICAL.has(operator)) return isTruth(node.left) && isTruth(node.right);
  return EQUALITY.has(operator) || BOUNDARY.has(operator);
}

/** The list without each one of its members that counts. */
function withoutEach<T extends ts.Node>(
  members: ts.NodeArray<T>,
  counts: (each: T) => boolean,
  open: string,
  close: string,
): Fault[] {
  return members.flatMap((each, at) => {
    if (!counts(each)) return [];
    const rest = members.filter((_, other) => other !== at).map((other) => other.getText());
    return [{ kind: `without ${oneLine(each.getText(), 40)}`, to: `${open}${rest.join(', ')}${close}` }];
  });
}

function unique(faults: Fault[], text: string): Fault[] {
  const seen = new Set([text]);
  return faults.filter(({ to }) => !seen.has(to) && seen.add(to) !== undefined);
}

function oneLine(text: string, most = 110): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}
