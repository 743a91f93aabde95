// venice-x402-client from npm, the vendor's own, against a server: 402, top-up, edits, balance, transactions.
// BASE_URL is the origin, SEED a PNG to edit, NODE_HOME a folder whose node_modules has the packages.
// Prints one PASS or FAIL line; the exit code is 0 or 1.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { BASE_URL: base, SEED: seed, NODE_HOME: home } = process.env;
const require = createRequire(path.join(home, 'package.json'));
const entry = path.join(home, 'node_modules/venice-x402-client/dist/index.mjs');
const { VeniceClient, createAuthFetch } = await import(pathToFileURL(entry).href);
const { Wallet } = require('ethers');

const steps = [];
const need = (condition, step) => {
  if (!condition) throw new Error(step);
  steps.push(step);
};
const isImage = async (blob) => {
  const head = new Uint8Array(await blob.arrayBuffer());
  return (head[0] === 0x89 && head[1] === 0x50) || (head[0] === 0xff && head[1] === 0xd8) || head[0] === 0x52;
};
const rejected = async (call) => {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
};

async function main() {
  const png = fs.readFileSync(seed);
  const image = png.toString('base64');
  const wallet = Wallet.createRandom();
  const client = new VeniceClient(wallet.privateKey, { apiUrl: base, timeoutMs: 20000 });
  const edit = { prompt: 'sunset sky', image, model: 'firered-image-edit' };

  const models = await client.models();
  need(Array.isArray(models.data) && models.data.length > 0, 'models');
  const before = await client.getBalance();
  need(before.balanceUsd === 0 && before.canConsume === false, 'balance of a fresh wallet');

  const poor = await rejected(() => client.images.edit(edit));
  need(poor?.code === 'INSUFFICIENT_BALANCE', 'fresh wallet: INSUFFICIENT_BALANCE');
  need(
    typeof poor.details?.currentBalance === 'number' && typeof poor.details?.suggestedAmount === 'number',
    'its 402 has numbers',
  );
  await client.topUp(10);
  need(client.balance === 10, 'topUp(10)');

  const edited = await client.images.edit(edit);
  need(edited instanceof Blob && (await isImage(edited)) && edited.type === 'image/png', 'edit by JSON');
  need(client.balance === 9.96, 'X-Balance-Remaining');

  const form = new FormData();
  form.set('prompt', 'sunset sky');
  form.set('image', new Blob([png], { type: 'image/png' }), 'seed.png');
  form.set('safe_mode', 'false');
  need(await isImage(await client.images.edit(form)), 'edit by multipart');

  const { transactions } = await client.getTransactions({ limit: 5 });
  need(
    transactions.map((row) => row.type).join() === 'CHARGE,CHARGE,TOP_UP',
    'transactions, newest first',
  );

  const eager = new VeniceClient(Wallet.createRandom().privateKey, {
    apiUrl: base,
    autoTopUp: { enabled: true, amount: 10 },
  });
  need(await isImage(await eager.images.edit({ prompt: 'x', image })), 'autoTopUp clears the 402');

  const empty = await rejected(() => client.images.edit({ prompt: '', image }));
  need(empty?.details?.status === 400 && !String(empty.message).includes('[object'), 'empty prompt: 400');

  const fetchSigned = createAuthFetch(wallet.privateKey, { apiUrl: base });
  need((await fetchSigned(`${base}/api/v1/models?type=inpaint`)).ok, 'createAuthFetch');
}

try {
  await main();
  console.log(`PASS venice-x402-client: ${steps.join('; ')}`);
  process.exit(0);
} catch (error) {
  console.log(`FAIL venice-x402-client after [${steps.join('; ')}]: ${error.code ?? ''} ${error.message}`);
  process.exit(1);
}
