import { ApiFailure, ServerLost } from '../api/client.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';

/** What to say when an answer did not come: the banner tells of a lost server, the filter box of its own mistakes. */
export function QueryProblem({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  if (error instanceof ServerLost) {
    return (
      <Notice title="The server does not answer">
        Trying again every two seconds. Is <code className="font-mono">fluoro up</code> still running on that machine?
      </Notice>
    );
  }
  if (error instanceof ApiFailure && error.position !== undefined) {
    return <Notice title="The filter expression could not be read">Its place is marked above; mend it and press Enter.</Notice>;
  }
  const message = error instanceof Error ? error.message : String(error);
  return (
    <Notice title="The server could not answer this" tone="bad" actions={<Button onClick={retry}>Try again</Button>}>
      {message}
    </Notice>
  );
}
