/**
 * Stack traces as text, from whatever language, into X-Ray's exceptions: each line that is a frame becomes one (innermost first),
 * each that we do not know is kept whole as a frame's label, and a chain of causes becomes a chain of exceptions.
 * Lines are at most 1,000 characters when they are looked at, so that no pattern can be made to run long.
 */

/** A frame as in X-Ray's `stack`. */
export interface StackFrame {
  path?: string;
  line?: number;
  label?: string;
}

/** One exception of a chain; the next in the list is its cause. */
export interface ParsedException {
  readonly type: string | undefined;
  readonly message: string | undefined;
  readonly frames: readonly StackFrame[];
  /** Frames that are known to be missing: left out by us beyond 500, or by the sender (`... 12 more`). */
  readonly truncated: number;
}

const MAX_FRAMES = 500;
const MAX_LINE_LENGTH = 1000;
const MAX_LINES = 20_000;
const MAX_EXCEPTIONS = 20;

interface Draft {
  readonly type: string | undefined;
  readonly message: string | undefined;
  frames: StackFrame[];
  truncated: number;
}

/** Reads a stack trace; `type` and `message` are those that the event itself states. The first exception is always there. */
export function parseStack(type: string | undefined, message: string | undefined, text: string): readonly ParsedException[] {
  const lines = text.split('\n', MAX_LINES).map((line) => line.slice(0, MAX_LINE_LENGTH).trimEnd());
  const isPython = lines.some((line) => line.startsWith(PYTHON_HEAD));
  return isPython ? parsePython(type, message, lines) : parseLines(type, message, lines);
}

const CAUSED_BY = /^\s*(?:Caused by|\[cause\]): ?(.*)$/;
const MORE = /^\s*\.\.\. (\d{1,6}) (?:common frames omitted|more)/;

function parseLines(type: string | undefined, message: string | undefined, lines: readonly string[]): readonly ParsedException[] {
  const drafts: Draft[] = [{ type, message, frames: [], truncated: 0 }];
  const known = lines.map(parseFrame);
  const hasFrames = known.some((frame) => frame !== undefined);
  let inHead = hasFrames;
  let goPackage: string | undefined;
  for (const [index, line] of lines.entries()) {
    const current = drafts[drafts.length - 1]!;
    const cause = CAUSED_BY.exec(line);
    const more = MORE.exec(line);
    if (cause !== null && drafts.length < MAX_EXCEPTIONS) {
      drafts.push({ ...splitHead(cause[1] ?? ''), frames: [], truncated: 0 });
      inHead = true;
    } else if (more !== null) current.truncated += Number(more[1]);
    else if (known[index] !== undefined) {
      const frame = known[index];
      // Go writes the function on the line before its place.
      if (frame.label === undefined && goPackage !== undefined) frame.label = goPackage;
      addFrame(current, frame);
      inHead = false;
      goPackage = undefined;
    } else if (isGoPlace(lines[index + 1]) && GO_FUNCTION.test(line)) {
      goPackage = line;
      inHead = false;
    } else if (!inHead && line.trim() !== '') addFrame(current, { label: line.trim() });
  }
  return drafts;
}

function addFrame(draft: Draft, frame: StackFrame): void {
  if (draft.frames.length < MAX_FRAMES) draft.frames.push(frame);
  else draft.truncated++;
}

/** `com.example.SomeError: what happened` */
function splitHead(head: string): { type: string | undefined; message: string | undefined } {
  const match = /^([\w.$:]{1,200}?)(?:: (.*))?$/.exec(head);
  if (match === null) return { type: undefined, message: head };
  return { type: match[1], message: match[2] };
}

/** `at label (path:line:column)`: JavaScript, and Java without column. */
const AT_WITH_PLACE = /^\s*at (?:async )?([^(]*?[^( ]|[^()]*\([^()]*\)[^()]*?) ?\(([^()]*)\)$/;
/** `at path:line:column`, JavaScript without a function. */
const AT_PLACE = /^\s*at (?:async )?(\S+):(\d{1,9}):\d{1,9}$/;
/** `at Some.Method(String argument) in /path/File.cs:line 12`, .NET. */
const DOT_NET = /^\s*at ([^)]{1,500}\))(?: in (.+):line (\d{1,9}))?$/;
/** `	/path/file.go:12 +0x1d`, Go; the function stands on the line before. */
const GO_PLACE = /^\s+(\/?\S+\.go):(\d{1,9})(?: \+0x[0-9a-f]+)?$/;
const GO_FUNCTION = /^[\w./*()[\]{}-]+\(/;
/** `/path/file.rb:12:in 'method'`, Ruby. */
const RUBY = /^\s*(?:from )?(\S+\.rb):(\d{1,9}):in [`'](.+)'$/;
/** `#0 /path/file.php(12): Some->method()`, PHP. */
const PHP = /^#\d{1,6} (\S+)\((\d{1,9})\): (.+)$/;

function parseFrame(line: string): StackFrame | undefined {
  const trimmed = line.trimStart();
  if (trimmed.startsWith('at ')) return parseAt(line);
  const go = GO_PLACE.exec(line);
  if (go !== null) return { path: go[1]!, line: Number(go[2]) };
  const other = RUBY.exec(line) ?? PHP.exec(line);
  return other === null ? undefined : { path: other[1]!, line: Number(other[2]), label: other[3]! };
}

function parseAt(line: string): StackFrame | undefined {
  const place = AT_PLACE.exec(line);
  if (place !== null) return { path: place[1]!, line: Number(place[2]) };
  const dotNet = DOT_NET.exec(line);
  if (dotNet !== null && dotNet[2] !== undefined) return { path: dotNet[2], line: Number(dotNet[3]), label: dotNet[1]! };
  const called = AT_WITH_PLACE.exec(line);
  if (called !== null) return { ...splitPlace(called[2] ?? ''), label: called[1]! };
  return undefined;
}

/** `Bar.java:12`, `/path/file.js:12:5`, `Native Method`. */
function splitPlace(place: string): StackFrame {
  const match = /^(.*?):(\d{1,9})(?::\d{1,9})?$/.exec(place);
  if (match !== null) return { path: match[1]!, line: Number(match[2]) };
  return place === '' ? {} : { path: place };
}

function isGoPlace(line: string | undefined): boolean {
  return line !== undefined && GO_PLACE.test(line);
}

const PYTHON_HEAD = 'Traceback (most recent call last)';
const PYTHON_FRAME = /^\s*File "([^"]*)", line (\d{1,9})(?:, in (.*))?$/;

/** Python prints outermost frames first and causes before what they caused. */
function parsePython(type: string | undefined, message: string | undefined, lines: readonly string[]): readonly ParsedException[] {
  const drafts: Draft[] = [];
  let frames: StackFrame[] = [];
  let head: string | undefined;
  const finish = (): void => {
    if (frames.length > 0) drafts.push({ ...splitHead(head ?? ''), ...capped(frames) });
    frames = [];
    head = undefined;
  };
  for (const line of lines) {
    if (line.startsWith(PYTHON_HEAD)) finish();
    const match = PYTHON_FRAME.exec(line);
    if (match !== null) frames.push(pythonFrame(match));
    else if (frames.length > 0 && head === undefined && /^\S/.test(line)) head = line;
  }
  finish();
  const chain = drafts.reverse().slice(0, MAX_EXCEPTIONS);
  const [first = { type, message, frames: [], truncated: 0 }, ...causes] = chain;
  return [{ ...first, type: type ?? first.type, message: message ?? first.message }, ...causes];
}

function pythonFrame(match: RegExpExecArray): StackFrame {
  const frame: StackFrame = { path: match[1]!, line: Number(match[2]) };
  if (match[3] !== undefined) frame.label = match[3];
  return frame;
}

/** Turned round, innermost first, and cut to what X-Ray can show. */
function capped(frames: readonly StackFrame[]): { frames: StackFrame[]; truncated: number } {
  const inner = frames.slice(-MAX_FRAMES).reverse();
  return { frames: inner, truncated: frames.length - inner.length };
}
