import { Link, Outlet, useMatches } from '@tanstack/react-router';
import { CircleQuestionMark, Moon, Pause, Play, Search, Sun } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { LiveProvider, useLive, useServerLost } from '../api/live.tsx';
import { RangePicker } from '../time/range-picker.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { useGlobalKeys } from './global-keys.ts';
import { KeysDialog } from './keys-dialog.tsx';
import { useTheme } from './theme.ts';
import { carried, useView, type View, type ViewSearch } from './view.ts';

const Palette = lazy(() => import('./palette.tsx'));

/** Everything around the pages: navigation, time range, live state, the banner, the palette and the keys. */
export function Shell() {
  const view = useView();
  const path = useMatches({ select: (matches) => matches.at(-1)?.pathname ?? '/' });
  const ranged = path === '/' || path === '/traces';
  const follows = ranged ? view.range.kind === 'relative' : true;
  return (
    <LiveProvider follows={follows}>
      <Frame view={view} ranged={ranged} />
    </LiveProvider>
  );
}

function Frame({ view, ranged }: { readonly view: View; readonly ranged: boolean }) {
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const shared = useSharedSearch(view, ranged);
  useGlobalKeys({ openPalette: () => setPalette(true), openHelp: () => setHelp(true) });
  return (
    <div className="flex h-full min-w-[720px] flex-col">
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-raised focus:p-2">
        Skip to the content
      </a>
      <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-panel px-3">
        <Brand search={shared} />
        <Navigation search={shared} />
        <button
          type="button"
          onClick={() => setPalette(true)}
          className="ml-auto flex h-7.5 w-72 min-w-0 items-center gap-2 rounded-md border border-line bg-bg px-2.5 text-muted hover:border-line-strong"
          aria-label="Search or jump to a trace, a service or a page"
        >
          <Search size={14} aria-hidden />
          <span className="truncate">Trace id, service, page…</span>
          <kbd className="ml-auto whitespace-nowrap">Ctrl K</kbd>
        </button>
        {ranged && <RangePicker range={view.range} onChange={(range) => view.set({ range })} />}
        {ranged && <LiveButton />}
        <ThemeButton />
        <IconButton label="Keys and help (?)" onClick={() => setHelp(true)}>
          <CircleQuestionMark size={16} />
        </IconButton>
      </header>
      <LostBanner />
      <main id="main" className="relative min-h-0 flex-1">
        <Outlet />
      </main>
      <Suspense>{palette && <Palette onClose={() => setPalette(false)} />}</Suspense>
      <KeysDialog open={help} onOpenChange={setHelp} />
    </div>
  );
}

/** Range and filter of the last map or list: pages without them lead back to what was looked at. */
function useSharedSearch(view: View, ranged: boolean): ViewSearch {
  const [kept, setKept] = useState<ViewSearch>(() => carried(view.search));
  const now = carried(view.search);
  if (!ranged) return kept;
  if (now.range !== kept.range || now.filter !== kept.filter) setKept(now);
  return now;
}

function Brand({ search }: { readonly search: ViewSearch }) {
  return (
    <Link
      to="/"
      search={search}
      className="mr-2 flex items-center gap-2 rounded-md font-semibold tracking-tight"
      aria-label="Fluoroscope, to the service map"
    >
      <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden>
        <circle cx="16" cy="16" r="10.5" fill="none" stroke="var(--accent)" strokeWidth="3" />
        <path
          d="M1 17h9l3-6 5 12 3-6h10"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.2"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <span className="hidden lg:inline">Fluoroscope</span>
    </Link>
  );
}

const PAGES = [
  { to: '/', label: 'Map' },
  { to: '/traces', label: 'Traces' },
  { to: '/status', label: 'Status' },
] as const;

function Navigation({ search }: { readonly search: ViewSearch }) {
  return (
    <nav aria-label="Pages" className="flex items-center gap-1">
      {PAGES.map((page) => (
        <Link
          key={page.to}
          to={page.to}
          search={search}
          activeOptions={{ exact: page.to === '/', includeSearch: false }}
          className="rounded-md px-2.5 py-1 font-medium text-muted hover:bg-sunken hover:text-text data-[status=active]:bg-accent-soft data-[status=active]:text-accent"
        >
          {page.label}
        </Link>
      ))}
    </nav>
  );
}

const LIVE_LABELS = {
  off: 'Fixed range',
  paused: 'Paused',
  connecting: 'Connecting',
  live: 'Live',
} as const;

function LiveButton() {
  const live = useLive();
  const running = live.state === 'live';
  const tip =
    live.state === 'off'
      ? 'A fixed time range does not change'
      : live.state === 'paused'
        ? 'Go on with live updates (p)'
        : 'Pause live updates (p)';
  return (
    <Button
      onClick={live.togglePause}
      disabled={live.state === 'off'}
      title={tip}
      data-testid="live"
      data-state={live.state}
      className="w-28 justify-start"
    >
      {live.state === 'paused' ? (
        <Play size={13} aria-hidden />
      ) : running ? (
        <span className="pulse mx-0.5 size-2 rounded-full bg-ok-fill" aria-hidden />
      ) : (
        <Pause size={13} aria-hidden />
      )}
      {LIVE_LABELS[live.state]}
    </Button>
  );
}

function ThemeButton() {
  const { theme, toggle } = useTheme();
  return (
    <IconButton label={theme === 'dark' ? 'Light theme' : 'Dark theme'} onClick={toggle}>
      {theme === 'dark' ? <Sun size={16} /> : <Moon size={16} />}
    </IconButton>
  );
}

/** Lies over the page's top edge, so that nothing moves when the server comes and goes. */
function LostBanner() {
  if (!useServerLost()) return null;
  return (
    <div role="alert" className="absolute top-12 right-0 left-0 z-40 flex justify-center pt-2" data-testid="lost-banner">
      <span className="flex items-center gap-2 rounded-full border border-fault-fill bg-raised px-4 py-1.5 font-medium shadow-pop">
        <span className="size-2 rounded-full bg-fault-fill" aria-hidden />
        Lost the server, retrying…<span className="font-normal text-muted">What you see is from before it went away.</span>
      </span>
    </div>
  );
}
