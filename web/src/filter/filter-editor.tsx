import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionStatus,
  moveCompletionSelection,
  startCompletion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { linter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder, type KeyBinding } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { parseTraceId, type CompletionOption, type NamesAnswer } from '../core.ts';
import { checkFilter, completeAt, FILTER_HINT, type FilterProblem } from './language.ts';

interface FilterEditorProps {
  readonly text: string;
  readonly names: NamesAnswer | undefined;
  /** What is wrong with the text, marked at its place. */
  readonly problem: FilterProblem | undefined;
  readonly onChange: (text: string) => void;
  readonly onProblem: (problem: FilterProblem | undefined) => void;
  readonly onApply: (text: string) => void;
}

/** CodeMirror as a one-line field. Loaded apart, because most views never need it. */
export default function FilterEditor(props: FilterEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    const editor = new EditorView({ parent: host.current!, state: createState(latest) });
    view.current = editor;
    return () => editor.destroy();
  }, []);
  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== props.text)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.text } });
  }, [props.text]);
  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, props.problem ? [toDiagnostic(props.problem, editor.state.doc.length)] : []));
  }, [props.problem]);
  return <div ref={host} className="filter-editor" />;
}

interface Latest {
  readonly current: FilterEditorProps;
}

function createState(latest: Latest): EditorState {
  return EditorState.create({
    doc: latest.current.text,
    extensions: [
      history(),
      // One line: what is pasted over several becomes one.
      EditorState.transactionFilter.of((change) =>
        change.newDoc.lines > 1 ? [change, { changes: lineBreaks(change.newDoc.toString()), sequential: true }] : change,
      ),
      autocompletion({
        override: [(context) => complete(context, latest.current.names)],
        selectOnOpen: false,
        defaultKeymap: false,
        icons: false,
        interactionDelay: 0,
        activateOnTypingDelay: 60,
      }),
      Prec.highest(keymap.of(keys(latest))),
      closeBrackets(),
      EditorState.languageData.of(() => [{ closeBrackets: { brackets: ['(', '{', '"'] } }]),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap]),
      linter((editor) => lint(editor.state.doc.toString(), latest), { delay: 500, tooltipFilter: () => [] }),
      LANGUAGE,
      syntaxHighlighting(HIGHLIGHT),
      placeholder(FILTER_HINT),
      THEME,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({
        'aria-label': 'Filter expression',
        spellcheck: 'false',
        autocapitalize: 'off',
        autocorrect: 'off',
      }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        latest.current.onProblem(undefined);
        const text = update.state.doc.toString();
        if (text !== latest.current.text) latest.current.onChange(text);
      }),
      EditorView.domEventHandlers({
        focus: (_, editor) => {
          if (editor.state.doc.length === 0) setTimeout(() => editor.hasFocus && startCompletion(editor), 50);
        },
      }),
    ],
  });
}

function keys(latest: Latest): KeyBinding[] {
  return [
    { key: 'Enter', run: (editor) => acceptCompletion(editor) || apply(editor, latest) },
    {
      key: 'Tab',
      run: (editor) =>
        completionStatus(editor.state) === 'active' &&
        (acceptCompletion(editor) || (moveCompletionSelection(true)(editor) && acceptCompletion(editor))),
    },
    { key: 'ArrowDown', run: moveCompletionSelection(true) },
    { key: 'ArrowUp', run: moveCompletionSelection(false) },
    { key: 'Escape', run: (editor) => closeCompletion(editor) || (editor.contentDOM.blur(), true) },
    { key: 'Ctrl-Space', run: startCompletion },
  ];
}

function apply(editor: EditorView, latest: Latest): boolean {
  closeCompletion(editor);
  latest.current.onApply(editor.state.doc.toString());
  return true;
}

/** Runs when typing rests; a trace id, which the box takes too, is no mistake. */
function lint(text: string, latest: Latest): readonly Diagnostic[] {
  const fresh = text.trim() === '' || parseTraceId(text.trim()) ? undefined : checkFilter(text);
  if (fresh) latest.current.onProblem(fresh);
  const shown = fresh ?? latest.current.problem;
  return shown ? [toDiagnostic(shown, text.length)] : [];
}

/** At the end of the text, the last character is marked: there is nothing else to underline. */
function toDiagnostic(problem: FilterProblem, length: number): Diagnostic {
  const from = Math.min(problem.position, Math.max(length - 1, 0));
  return { from, to: Math.min(Math.max(problem.position + problem.length, from + 1), length), severity: 'error', message: problem.message };
}

function complete(context: CompletionContext, names: NamesAnswer | undefined): CompletionResult | null {
  const { from, to, options } = completeAt(context.state.doc.toString(), context.pos, names);
  if (options.length === 0) return null;
  return { from, to, filter: false, options: options.map(toCompletion) };
}

function toCompletion(option: CompletionOption, index: number): CompletionResult['options'][number] {
  return { label: option.label, apply: option.apply, type: option.kind, detail: option.detail, boost: -index };
}

function lineBreaks(text: string): { from: number; to: number; insert: string }[] {
  return [...text.matchAll(/\s*\n\s*/g)].map((match) => ({ from: match.index, to: match.index + match[0].length, insert: ' ' }));
}

const LANGUAGE = StreamLanguage.define({
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/"(?:[^"\\]|\\.)*"?/)) return 'string';
    if (stream.match(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/i)) return 'number';
    if (stream.match(/(?:and|or|contains|beginswith|endswith)\b/i)) return 'operator';
    if (stream.match(/(?:true|false)\b/i)) return 'atom';
    if (stream.match(/(?:service|edge|id|group\.\w+|rootcause[\w.]*)\b/i)) return 'keyword';
    if (stream.match(/[a-z_][\w.]*/i)) return 'propertyName';
    stream.next();
    return 'operator';
  },
});

const HIGHLIGHT = HighlightStyle.define([
  { tag: tags.string, color: 'var(--ok)' },
  { tag: tags.number, color: 'var(--error)' },
  { tag: tags.atom, color: 'var(--error)' },
  { tag: tags.operator, color: 'var(--muted)' },
  { tag: tags.keyword, color: 'var(--throttle)' },
  { tag: tags.propertyName, color: 'var(--accent)' },
]);

const THEME = EditorView.theme({
  '&': { backgroundColor: 'transparent', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.45' },
  '.cm-content': { padding: '7px 0', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0' },
  '.cm-placeholder': { color: 'var(--faint)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--fault-fill) 1.5px',
    textUnderlineOffset: '4px',
    backgroundColor: 'color-mix(in srgb, var(--fault-fill) 18%, transparent)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    border: '1px solid var(--line-strong)',
    borderRadius: '8px',
    boxShadow: 'var(--shadow)',
    overflow: 'hidden',
    color: 'var(--text)',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--font-mono) !important', fontSize: '12px', maxHeight: '18em !important' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px !important' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--accent-soft) !important',
    color: 'var(--text) !important',
  },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal', marginLeft: '12px', fontFamily: 'var(--font-sans)' },
});
