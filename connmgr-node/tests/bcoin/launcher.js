// A bcoin full node on regtest, on loopback, for the interop tests. Nothing leaves this machine.
//
//   NODE_BACKEND=js node launcher.js port=48444 [maxInbound=8] [only=127.0.0.1:18444] [blocks=0]
//
// bcoin is taken from the node_modules of the working directory. Once it listens and has mined its blocks it prints
//   ready {"port":48444,"height":10,"tip":"<hash>"}
// and answers, line by line, what it is asked on its standard input:
//   status        -> status {"inbound":1,"outbound":0,"accepted":3,"height":10}
//   mine <n>      -> status {...}
// It ends when its standard input does, so it can't outlive whoever started it.

'use strict';

const path = require('path');
const readline = require('readline');
const bcoin = require(path.join(process.cwd(), 'node_modules', 'bcoin'));

const options = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=', 2)));
const number = (name, otherwise) => (name in options ? Number(options[name]) : otherwise);

const node = new bcoin.FullNode({
  network: 'regtest',
  memory: true,
  workers: false,
  listen: true,
  host: '127.0.0.1',
  port: number('port', 48444),
  maxInbound: number('maxInbound', 8),
  seeds: [],
  nodes: [],
  only: options.only ? [options.only] : [],
});

// It would ask a public name server for its own address, and open a second port.
node.pool.discoverExternal = async () => {};
node.http.open = async () => {};
node.http.close = async () => {};
// Failures of single connections are what the tests provoke.
node.on('error', () => {});

let accepted = 0;
node.pool.server.on('connection', () => { accepted += 1; });
// Those it closes at once because it is full never become a connection: Node.js reports them here.
node.pool.server.server.on('drop', () => { accepted += 1; });

async function mine(count) {
  for (let i = 0; i < count; i++) {
    const block = await node.miner.mineBlock(null, new bcoin.Address());
    await node.chain.add(block);
  }
}

function say(word, fields) {
  process.stdout.write(`${word} ${JSON.stringify(fields)}\n`);
}

function status() {
  const { inbound, outbound } = node.pool.peers;
  say('status', { inbound, outbound, accepted, height: node.chain.height });
}

async function answer(line) {
  const [word, count] = line.trim().split(' ');
  if (word === 'mine')
    await mine(Number(count));
  status();
}

async function main() {
  await node.open();
  await mine(number('blocks', 0));
  await node.connect();
  say('ready', { port: node.pool.options.port, height: node.chain.height, tip: node.chain.tip.rhash() });
  for await (const line of readline.createInterface({ input: process.stdin }))
    await answer(line);
}

main().then(() => process.exit(0), (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
