// Talking to the control plane of the session that this page belongs to.

const HERE = new URL("..", import.meta.url); // .../__mock/
const TOKEN = "venice-mock-token";
const POLL_MS = 500; // at least
const AGAIN_MS = 1500;

export const here = (path = "") => new URL(path, HERE).href;

let token = null;
let askForToken = null; // () => Promise of a token

try {
  token = sessionStorage.getItem(TOKEN);
} catch {
  // storage may be forbidden: then the token is asked for again
}

export function onTokenWanted(ask) {
  askForToken = ask;
}

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/** A fetch with the token, which is asked for where the server wants one. */
export async function reach(path, options = {}) {
  const shown = token;
  const headers = { ...options.headers, ...(token ? { "X-Mock-Token": token } : {}) };
  const answer = await fetch(here(path), { ...options, headers, credentials: "omit", cache: "no-store" });
  if (answer.status !== 403) return answer;
  const text = await sentence(answer);
  if (!text.includes("X-Mock-Token")) throw new Refused(403, text);
  if (token === shown) {
    token = await askForToken();
    try {
      sessionStorage.setItem(TOKEN, token);
    } catch {
      // kept in memory only
    }
  }
  return reach(path, options);
}

async function sentence(answer) {
  try {
    return (await answer.json()).error;
  } catch {
    return `The server answered ${answer.status}`;
  }
}

async function told(answer) {
  if (!answer.ok) throw new Refused(answer.status, await sentence(answer));
  return answer.json();
}

export const get = async (path) => told(await reach(path));

export async function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  return told(await reach(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
}

/** Have an <img> show a picture of the control plane. With a token it is fetched, as an <img> cannot send one. */
export async function show(img, path) {
  if (!token) {
    img.src = here(path);
    return;
  }
  try {
    const answer = await reach(path);
    if (!answer.ok) throw new Refused(answer.status, "");
    const url = URL.createObjectURL(await answer.blob());
    const done = () => URL.revokeObjectURL(url);
    img.addEventListener("load", done, { once: true });
    img.addEventListener("error", done, { once: true });
    img.src = url;
  } catch {
    img.dispatchEvent(new Event("error"));
  }
}

/**
 * Follow the session's requests for ever: `begin(list)` with the newest ones at each new connection, `request(entry)`
 * for each that comes, `state(word)` for how it goes. A stream while there is one, else asking again and again, the
 * less often the longer the answer takes.
 * A page that nobody sees holds no stream: a browser has six connections to one server, for all of its tabs.
 */
export async function follow({ begin, request, state }) {
  for (;;) {
    let pause = AGAIN_MS;
    await untilSeen();
    try {
      const began = performance.now();
      const list = await get("requests?limit=200");
      const took = performance.now() - began;
      begin(list);
      let last = list.requests.length ? Math.max(...list.requests.map((entry) => entry.number)) : 0;
      const tell = (entry) => {
        last = entry.number;
        request(entry);
      };
      try {
        await stream(last, tell, () => state("live"));
      } catch {
        state("asking");
        pause = document.hidden ? 0 : Math.max(POLL_MS, 10 * took);
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 404) {
        state("ended");
        return;
      }
      state("waiting");
    }
    await new Promise((after) => setTimeout(after, pause));
  }
}

function untilSeen() {
  if (!document.hidden) return null;
  return new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
}

async function stream(last, tell, opened) {
  const leaving = new AbortController();
  const { signal } = leaving;
  addEventListener("pagehide", () => leaving.abort(), { signal });
  document.addEventListener("visibilitychange", () => document.hidden && leaving.abort(), { signal });
  try {
    await read(signal, last, tell, opened);
  } finally {
    leaving.abort();
  }
}

async function read(signal, last, tell, opened) {
  const headers = { Accept: "text/event-stream", "Last-Event-ID": String(last) };
  const answer = await reach("events", { headers, signal });
  if (!answer.ok || !answer.body) throw new Refused(answer.status, await sentence(answer));
  opened();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const pieces = (waiting + value).split("\n\n");
    waiting = pieces.pop();
    for (const piece of pieces) {
      const lines = piece.split("\n");
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (lines.includes("event: request")) tell(JSON.parse(data));
    }
  }
}
