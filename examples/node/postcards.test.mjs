// Run it with: VENICE_MOCK=path/to/venice-mock node --test examples/node/postcards.test.mjs
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { startMock } from "./mock.mjs";
import { edit } from "./postcards.mjs";

describe("postcards", { concurrency: true }, () => {
  let mock;
  before(async () => {
    mock = await startMock("--engine", "fast");
  });
  after(async () => {
    assert.equal(await mock.stop(), 0);
  });

  // A test in a session of its own: accounts, rules, journal and clock belong to it alone.
  const testWithMock = (name, work) =>
    test(name, async () => {
      const session = await mock.session();
      try {
        await work(session);
      } finally {
        await session.end();
      }
    });

  testWithMock("an edit comes back and costs four cents", async (session) => {
    const edited = await edit(session.baseUrl, "my-key", await session.sample(), "make it a sunset");
    assert.deepEqual([...edited.slice(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
    await session.verify({ prompt_contains: "sunset", status: 200, model: "qwen-edit" }, { exactly: 1 });
    assert.equal((await session.account("my-key")).balance_usd, "99.960000");
  });

  testWithMock("a model at capacity is tried again", async (session) => {
    await session.rule({ error: "model_at_capacity" }, 2);
    await edit(session.baseUrl, "my-key", await session.sample(), "make it a sunset");
    const statuses = (await session.requests()).map((request) => request.status);
    assert.deepEqual(statuses, [503, 503, 200]);
  });

  testWithMock("what was charged and lost is not paid for again", async (session) => {
    await session.rule({ fault: "charge_then_504" }, 1);
    await assert.rejects(edit(session.baseUrl, "my-key", await session.sample(), "make it a sunset"), {
      status: 504,
    });
    const verdict = await session.verdict();
    assert.ok(verdict.ok, JSON.stringify(verdict, null, 2));
    await session.verify({ charged: true }, { exactly: 1 });
  });

  testWithMock("a rate limit ends with its time, which is moved on", async (session) => {
    const picture = await session.sample();
    await assert.rejects(edit(session.baseUrl, "mock_rate_limited", picture, "make it a sunset"), {
      status: 429,
    });
    await session.advance(60);
    await edit(session.baseUrl, "mock_rate_limited", picture, "make it a sunset");
  });

  testWithMock("a verification that fails tells what came closest", async (session) => {
    await edit(session.baseUrl, "my-key", await session.sample(), "make it a sunset");
    await assert.rejects(session.verify({ prompt: "make it a sunrise" }), /"expected": "make it a sunrise"/);
  });
});
