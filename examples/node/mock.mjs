// The mock from JavaScript, with nothing but Node 20: a process of its own, and one session of it for each test.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

// Starts the mock and waits for its ready line. VENICE_MOCK names the command.
export async function startMock(...options) {
  const command = process.env.VENICE_MOCK ?? "venice-mock";
  const child = spawn(command, ["serve", "--port", "0", "--log-level", "error", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const ready = new Promise((resolve) => createInterface(child.stdout).once("line", resolve));
  const line = await Promise.race([ready, ended]);
  if (typeof line !== "string") throw new Error(`${command} did not start`);
  const origin = `http://127.0.0.1:${JSON.parse(line).port}`;
  return {
    origin,
    session: (config = {}) => openSession(origin, config),
    async stop() {
      child.kill("SIGTERM");
      return ended; // its exit code
    },
  };
}

async function openSession(origin, config) {
  const made = await call("POST", `${origin}/__mock/sessions`, { config });
  const control = (method, path, body) => call(method, made.control_url + path, body);
  return {
    baseUrl: made.base_url, // for the client that is tested
    rule: (then, times = null, match = {}) => control("POST", "/rules", { then, times, match }),
    requests: async () => (await control("GET", "/requests?limit=1000")).requests.reverse(), // the oldest first
    account: (key) => control("GET", `/accounts/${encodeURIComponent(key)}`),
    advance: (seconds) => control("POST", "/clock/advance", { seconds }),
    verdict: () => control("GET", "/ledger/verdict"),
    verify: (match, times = { at_least: 1 }) => control("POST", "/verify", { match, times }),
    end: () => call("DELETE", `${origin}/__mock/sessions/${made.id}`),
    async sample() {
      const answer = await fetch(`${origin}/__mock/sample.png`);
      return answer.blob();
    },
  };
}

// A refusal is an exception with the mock's own words; of a verification, with the closest misses.
async function call(method, url, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error ?? JSON.stringify(told, null, 2));
  return told;
}
