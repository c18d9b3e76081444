/** How commands end: exit statuses, and who asks them to. */

/** Exit statuses, as all commands use them. */
export const Exit = { done: 0, mistake: 1, usage: 2, unavailable: 69, bug: 70 } as const;

/** Resolved at the first and at the second Ctrl-C or other request to end. */
export function untilStopAsked(): { readonly first: Promise<void>; readonly second: Promise<void> } {
  let count = 0;
  let first: () => void = () => undefined;
  let second: () => void = () => undefined;
  const asked = { first: new Promise<void>((done) => (first = done)), second: new Promise<void>((done) => (second = done)) };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      count++;
      if (count === 1) first();
      else second();
    });
  }
  return asked;
}
