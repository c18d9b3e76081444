import { Link, useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';

export function NotFound() {
  return (
    <Notice title="There is no such page">
      Go to the{' '}
      <Link to="/" className="text-accent underline">
        service map
      </Link>{' '}
      or to the{' '}
      <Link to="/traces" className="text-accent underline">
        traces
      </Link>
      , or press <kbd>Ctrl</kbd> <kbd>K</kbd>.
    </Notice>
  );
}

/** A chunk that could not be loaded (the server was updated or is gone), or our own mistake. */
export function PageBroken({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const message = error instanceof Error ? error.message : String(error);
  const chunk = /dynamically imported module|Importing a module/i.test(message);
  return (
    <Notice
      title={chunk ? 'This part of the page could not be loaded' : 'The page made a mistake'}
      actions={
        <>
          <Button
            onClick={() => {
              reset();
              void router.invalidate();
            }}
          >
            Try again
          </Button>
          <Button onClick={() => location.reload()}>Reload the page</Button>
        </>
      }
    >
      {chunk ? 'The server was not there, or was updated meanwhile.' : 'This is our bug, not yours. Your data is not touched.'}
      <code className="mt-2 block font-mono text-xs text-muted">{message}</code>
    </Notice>
  );
}
