/** Asks again until `good` holds of the answer; the answer. Rejects after `limitMs` with the last one. */
export async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean, limitMs = 30_000): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still not so after ${limitMs} ms: ${JSON.stringify(answer)?.slice(0, 2_000)}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
