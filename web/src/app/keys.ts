import { useEffect, useRef } from 'react';

/** Returns true when it did something with the key (the browser's own action is then prevented). */
export type KeyAction = (event: KeyboardEvent) => boolean | void;

/**
 * Page-wide keys by `event.key` (`?`, `/`, `Escape`, `ArrowDown`). Silent while someone types, while a dialog is open,
 * and with Ctrl, Alt or Meta.
 */
export function useKeys(actions: Readonly<Record<string, KeyAction>>, enabled = true): void {
  const current = useRef(actions);
  useEffect(() => {
    current.current = actions;
  });
  useEffect(() => {
    if (!enabled) return;
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || hasDialog()) return;
      const action = current.current[event.key];
      if (action && action(event) !== false) event.preventDefault();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [enabled]);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function hasDialog(): boolean {
  return document.querySelector('[role="dialog"][data-state="open"], [role="menu"][data-state="open"]') !== null;
}
