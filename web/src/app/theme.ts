import { useCallback, useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark';

const KEY = 'fluoroscope.theme';
const CHANGED = 'fluoroscope:theme';

/** The theme in force; `theme.js` set it before the first paint from storage or the system's preference. */
export function useTheme(): { readonly theme: Theme; readonly toggle: () => void } {
  const theme = useSyncExternalStore(subscribe, currentTheme);
  const toggle = useCallback(() => {
    const next: Theme = currentTheme() === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Not stored: holds until the page is loaded again.
    }
    apply(next);
  }, []);
  return { theme, toggle };
}

function currentTheme(): Theme {
  return document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light';
}

function apply(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
  window.dispatchEvent(new Event(CHANGED));
}

function subscribe(listener: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)');
  const follow = (): void => {
    if (!isStored()) apply(media.matches ? 'dark' : 'light');
  };
  media.addEventListener('change', follow);
  window.addEventListener(CHANGED, listener);
  return () => {
    media.removeEventListener('change', follow);
    window.removeEventListener(CHANGED, listener);
  };
}

function isStored(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
