// What every service of the shop needs to be run by shop.mjs: a port, and an end.

/**
 * Listens on loopback, at PORT or any free port, and prints `listening <port>`, which shop.mjs reads.
 * @param {import('node:net').Server | { listen(port: number, host: string, done: () => void): unknown }} server
 */
export function serve(server) {
  const listener = server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () =>
    process.stdout.write(`listening ${listener.address().port}\n`),
  );
  endWithStarter();
}

/** Ends this process when standard input closes: shop.mjs holds the other end, so that no service outlives it. */
export function endWithStarter() {
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** A duration around `ms`: mostly a little less, now and then much more, as work takes in reality. */
export const about = (ms) => ms * (0.6 - 0.4 * Math.log(1 - Math.random() * 0.98));
