import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useLive } from '../api/live.tsx';
import { useKeys } from './keys.ts';
import { carried, type ViewSearch } from './view.ts';

const SEQUENCE_MS = 1200;
const GO = { m: '/', t: '/traces', s: '/status' } as const;

interface GlobalActions {
  readonly openPalette: () => void;
  readonly openHelp: () => void;
}

/** Ctrl-K, `?`, `p`, and `g` followed by the first letter of a page. */
export function useGlobalKeys({ openPalette, openHelp }: GlobalActions): void {
  const navigate = useNavigate();
  const live = useLive();
  const goAt = useRef(0);
  const go = (page: keyof typeof GO) => (): boolean => {
    if (performance.now() - goAt.current > SEQUENCE_MS) return false;
    goAt.current = 0;
    void navigate({ to: GO[page], search: (before) => carried(before as ViewSearch) });
    return true;
  };
  useKeys({
    '?': openHelp,
    p: () => live.state !== 'off' && (live.togglePause(), true),
    g: () => {
      goAt.current = performance.now();
    },
    m: go('m'),
    t: go('t'),
    s: go('s'),
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        openPalette();
      }
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [openPalette]);
}
