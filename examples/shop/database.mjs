// The shop's database: SQLite behind MySQL's protocol, so that a real SQL client talks to a real SQL engine without
// anything to install.
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import mysql from 'mysql2';
import sqlite from 'node-sqlite3-wasm';
import { serve } from './lib/service.mjs';

/** As far away as a database in the next building. On loopback nobody would see what many small queries cost. */
const ROUND_TRIP_MS = 8;
const PRODUCTS = ['lamp', 'chair', 'table', 'shelf', 'rug', 'vase', 'clock', 'mirror', 'kettle', 'teapot', 'cup', 'plate'];
const GIFT_CARD = 13;

const database = new sqlite.Database();
database.exec(`
  CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, user TEXT NOT NULL, product INTEGER NOT NULL, total REAL, state TEXT NOT NULL DEFAULT 'new');
  CREATE INDEX orders_of_user ON orders (user);
`);
PRODUCTS.forEach((name, index) => database.run('INSERT INTO products VALUES (?, ?, ?)', [index + 1, name, 9.5 + index * 10]));
database.run('INSERT INTO products VALUES (?, ?, NULL)', [GIFT_CARD, 'gift card']);
for (let number = 0; number < 100; number++) {
  database.run("INSERT INTO orders (user, product, total, state) VALUES (?, ?, 20, 'shipped')", ['mira', (number % 12) + 1]);
}

function run(sql) {
  if (/^\s*SELECT/i.test(sql)) return { rows: database.all(sql) };
  const { changes, lastInsertRowid } = database.run(sql);
  return { affectedRows: changes, insertId: Number(lastInsertRowid) };
}

async function answer(connection, sql) {
  await delay(ROUND_TRIP_MS);
  try {
    const { rows, ...done } = run(sql);
    if (rows === undefined) connection.writeOk(done);
    else
      connection.writeTextResult(
        rows,
        Object.keys(rows[0] ?? { none: 0 }).map((name) => column(name, rows[0]?.[name])),
      );
  } catch (error) {
    connection.writeError({ code: 1064, message: error.message });
  }
  connection.sequenceId = 0; // of the packets of the next command
}

const { DOUBLE, VAR_STRING } = mysql.Types;
const column = (name, value) => ({
  catalog: 'def',
  schema: 'shop',
  table: '',
  orgTable: '',
  name,
  orgName: name,
  characterSet: 33,
  columnLength: 1024,
  columnType: typeof value === 'number' ? DOUBLE : VAR_STRING,
  flags: 0,
  decimals: 31,
});

serve(
  net.createServer({ noDelay: true }, (socket) => {
    const connection = mysql.createConnection({ isServer: true, stream: socket });
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.0-shop',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 33,
      capabilityFlags: 0xff_ff_ff & ~0x8_00, // all but TLS
      authCallback: (_who, accept) => {
        accept();
        connection.sequenceId = 0;
      },
    });
    connection.on('query', (sql) => void answer(connection, sql));
    connection.on('ping', () => connection.writeOk());
    connection.on('error', () => undefined); // the client went away
  }),
);
